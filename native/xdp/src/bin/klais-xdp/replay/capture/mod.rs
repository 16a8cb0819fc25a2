//! Captures as files, one packet after another: classic pcap, and pcapng with its sections and interfaces.
//!
//! What a field means is the `pcap-parser` crate's business. Where a block begins and ends is settled here, before the
//! crate sees it: its own readers say no byte offset, and subtract from a block's length before they have looked at it.
//!
//! Nothing in a file decides how much memory is taken: buffers grow with the bytes that are there, up to the limits below.
//! The tests hold the whole of it to 16 times [`BLOCK_BYTES_MAX`].

mod classic;
mod error;
mod pcapng;
mod source;

use std::io::Read;

use classic::Classic;
use pcapng::Sections;
use source::Source;

pub use error::{CaptureError, Fault, Part};

/// The longest packet of a capture: libpcap's own limit for Ethernet (`MAXIMUM_SNAPLEN`).
pub const PACKET_BYTES_MAX: u32 = 262_144;
/// The longest block of a pcapng file that is read and not skipped: a packet and its options.
pub const BLOCK_BYTES_MAX: u32 = 1 << 19;
/// Interfaces of one section.
pub const INTERFACES_MAX: usize = 4_096;

/// The link type of Ethernet, in both formats.
const ETHERNET: u32 = 1;

/// A packet as it was captured.
#[derive(Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// From 1, as capture tools count.
    pub index: u64,
    /// Since 1970, held at 0 and at the end of the range. `None`: the block has no time.
    pub nanos: Option<u64>,
    /// Bytes that it had on the wire; more than `frame` has where the capture cut it.
    pub wire_bytes: u32,
    /// The frame, from its Ethernet header on.
    pub frame: &'a [u8],
}

/// Where in the buffer the packet lies that was read last.
struct Place {
    start: usize,
    frame_bytes: u32,
    wire_bytes: u32,
    nanos: Option<u64>,
}

enum Format {
    Classic(Classic),
    Pcapng(Sections),
}

/// A capture that is being read.
pub struct Capture<R> {
    source: Source<R>,
    format: Format,
    packets: u64,
}

impl<R: Read> Capture<R> {
    /// Reads what stands before the packets.
    ///
    /// # Errors
    /// [`CaptureError`]: no capture, or none of Ethernet.
    pub fn open(reader: R) -> Result<Self, CaptureError> {
        let mut source = Source::new(reader);
        if !source.begin(4, Part::FileHeader)? {
            return Err(source.fault(Fault::Empty));
        }
        let format = match source.bytes() {
            pcapng::MAGIC => Format::Pcapng(Sections::open(&mut source)?),
            _ => Format::Classic(Classic::open(&mut source)?),
        };
        Ok(Self { source, format, packets: 0 })
    }

    /// The next packet; `None` at the end of the file.
    ///
    /// # Errors
    /// [`CaptureError`], with the place. There is nothing to be had behind it.
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let index = self.packets + 1;
        let place = match &mut self.format {
            Format::Classic(classic) => classic.next(&mut self.source, index)?,
            Format::Pcapng(sections) => sections.next(&mut self.source, index)?,
        };
        let Some(Place { start, frame_bytes, wire_bytes, nanos }) = place else {
            return Ok(None);
        };
        self.packets = index;
        let frame = self.source.bytes().get(start..start + frame_bytes as usize).unwrap_or_default();
        Ok(Some(Packet { index, nanos, wire_bytes, frame }))
    }
}
