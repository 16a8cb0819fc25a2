//! Frames as bytes, version 1: one frame is one UDP payload. `docs/protocol.md` is the specification.
//!
//! Nothing here allocates, panics or trusts a length: a frame's size is checked against its type before any field is
//! read, and every field that a frame can not hold is an error.

mod cursor;
mod decode;
mod encode;
mod error;
mod gateway_number;
mod header;
mod keys;
mod mac;

pub use decode::{Parsed, open, parse};
pub use encode::encode;
pub use error::WireError;
pub use gateway_number::gateway_number;
pub use header::{FRAME_BYTES_MAX, FrameType, HEADER_BYTES, MAC_BYTES, PORT, VERSION};
pub use keys::{DeviceKey, MasterKeys};
