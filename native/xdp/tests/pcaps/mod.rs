//! Captures made by code: what is in them, how they are written, and how they are read.

pub mod allocation;
pub mod files;
pub mod foreign;
pub mod packets;
mod reading;

#[path = "../../src/bin/klais-xdp/replay/capture/mod.rs"]
mod reader;
