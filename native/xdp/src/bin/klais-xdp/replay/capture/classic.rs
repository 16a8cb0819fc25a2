//! Classic pcap, version 2.4: a header, and records of one interface. Either byte order, microseconds or nanoseconds.

use std::io::Read;

use pcap_parser::pcap::{parse_pcap_frame, parse_pcap_frame_be, parse_pcap_header};

use super::error::{CaptureError, Fault, Part};
use super::source::Source;
use super::{ETHERNET, PACKET_BYTES_MAX, Place};

const HEADER_BYTES: u32 = 24;
const RECORD_BYTES: u32 = 16;
const VERSION: (u16, u16) = (2, 4);
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// How the records of a file are written.
pub struct Classic {
    is_big_endian: bool,
    nanos_per_unit: u64,
}

impl Classic {
    /// Reads the header, of which the first 4 bytes have been read.
    pub fn open<R: Read>(source: &mut Source<R>) -> Result<Self, CaptureError> {
        let magic: [u8; 4] = source.bytes().try_into().unwrap_or_default();
        // The Linux 2.x variant with longer records, 0xa1b2cd34, is none that a tool of today writes.
        let (is_big_endian, nanos_per_unit) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1_000),
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1_000),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
            _ => return Err(source.fault(Fault::NoCapture(magic))),
        };
        source.extend_to(HEADER_BYTES, Part::FileHeader)?;
        let Ok((_, header)) = parse_pcap_header(source.bytes()) else {
            return Err(source.fault(Fault::Malformed("the file's header")));
        };
        let (major, minor) = (header.version_major, header.version_minor);
        if (major, minor) != VERSION {
            return Err(source.fault(Fault::Version { major, minor }));
        }
        match header.network.0 as u32 {
            ETHERNET => Ok(Self { is_big_endian, nanos_per_unit }),
            other => Err(source.fault(Fault::LinkType(other))),
        }
    }

    /// The next record.
    pub fn next<R: Read>(&self, source: &mut Source<R>, index: u64) -> Result<Option<Place>, CaptureError> {
        let part = Part::Packet(index);
        if !source.begin(RECORD_BYTES, part)? {
            return Ok(None);
        }
        let length = source.bytes().get(8..12).and_then(|bytes| bytes.try_into().ok()).unwrap_or_default();
        let captured =
            if self.is_big_endian { u32::from_be_bytes(length) } else { u32::from_le_bytes(length) };
        if captured > PACKET_BYTES_MAX {
            let fault = Fault::TooLong { part, bytes: captured, most: PACKET_BYTES_MAX };
            return Err(source.fault(fault));
        }
        source.extend_to(RECORD_BYTES + captured, part)?;
        let parse = if self.is_big_endian { parse_pcap_frame_be } else { parse_pcap_frame };
        let Ok((_, record)) = parse(source.bytes()) else {
            return Err(source.fault(Fault::Malformed("a record")));
        };
        let wire = record.origlen;
        if captured > wire {
            return Err(source.fault(Fault::MoreThanAll { packet: index, captured, wire }));
        }
        let nanos =
            u64::from(record.ts_sec) * NANOS_PER_SECOND + u64::from(record.ts_usec) * self.nanos_per_unit;
        let place = Place {
            start: RECORD_BYTES as usize,
            frame_bytes: captured,
            wire_bytes: wire,
            nanos: Some(nanos),
        };
        Ok(Some(place))
    }
}
