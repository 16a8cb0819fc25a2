//! Datagrams as bytes.

mod cursor;
mod datagram;

pub(crate) use cursor::{Reader, WireError, Writer};
pub use datagram::DATAGRAM_BYTES_MAX;
pub(crate) use datagram::{Head, Sealer, open, peek};
