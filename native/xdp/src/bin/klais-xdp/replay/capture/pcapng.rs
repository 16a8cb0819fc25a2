//! pcapng, version 1: sections of blocks, each section in its own byte order and with its own interfaces.

use std::io::Read;

use pcap_parser::pcapng::{
    InterfaceDescriptionBlock, OptionCode, parse_enhancedpacketblock_be, parse_enhancedpacketblock_le,
    parse_interfacedescriptionblock_be, parse_interfacedescriptionblock_le, parse_sectionheaderblock,
    parse_simplepacketblock_be, parse_simplepacketblock_le,
};

use super::error::{CaptureError, Fault, Part};
use super::source::Source;
use super::{BLOCK_BYTES_MAX, ETHERNET, INTERFACES_MAX, PACKET_BYTES_MAX, Place};

/// What a section begins with, in either byte order.
pub const MAGIC: &[u8] = &[0x0a, 0x0d, 0x0d, 0x0a];
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const VERSION_MAJOR: u16 = 1;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// Type and length; with the length behind, the least that a block has.
const HEAD_BYTES: u32 = 8;
const LENGTH_BYTES: u32 = 4;
const BLOCK_BYTES_MIN: u32 = HEAD_BYTES + LENGTH_BYTES;
/// From the start of a block to its frame.
const ENHANCED_FRAME_AT: usize = 28;
const SIMPLE_FRAME_AT: usize = 12;

const NANOS_PER_SECOND: i128 = 1_000_000_000;
/// Microseconds, where an interface does not say.
const RESOLUTION: u8 = 6;
/// Powers of 2 and not of 10.
const BINARY: u8 = 0x80;

/// How an interface tells time and length.
struct Interface {
    units_per_second: u64,
    offset_seconds: i64,
    /// 0: no limit.
    snap_bytes: u32,
}

/// Where in a file's sections the reader is.
pub struct Sections {
    is_big_endian: bool,
    interfaces: Vec<Interface>,
}

impl Sections {
    /// Reads the first section's header, of which the first 4 bytes have been read.
    pub fn open<R: Read>(source: &mut Source<R>) -> Result<Self, CaptureError> {
        source.extend_to(HEAD_BYTES, Part::FileHeader)?;
        let mut sections = Self { is_big_endian: false, interfaces: Vec::new() };
        sections.section(source, Part::FileHeader)?;
        Ok(sections)
    }

    /// The next packet, past whatever else there is.
    pub fn next<R: Read>(
        &mut self,
        source: &mut Source<R>,
        index: u64,
    ) -> Result<Option<Place>, CaptureError> {
        let part = Part::Block(index);
        while source.begin(HEAD_BYTES, part)? {
            match self.word(source, 0) {
                SECTION => self.section(source, part)?,
                INTERFACE => self.interface(source, part)?,
                ENHANCED_PACKET => return self.enhanced(source, index).map(Some),
                SIMPLE_PACKET => return self.simple(source, index).map(Some),
                OBSOLETE_PACKET => return Err(source.fault(Fault::Obsolete)),
                _ => self.skip(source, part)?,
            }
        }
        Ok(None)
    }

    fn section<R: Read>(&mut self, source: &mut Source<R>, part: Part) -> Result<(), CaptureError> {
        source.extend_to(BLOCK_BYTES_MIN, part)?;
        self.is_big_endian = false;
        self.is_big_endian = self.word(source, 8) != BYTE_ORDER;
        if self.word(source, 8) != BYTE_ORDER {
            return Err(source.fault(Fault::Malformed("a section header")));
        }
        self.read_block(source, part)?;
        let Ok((_, section)) = parse_sectionheaderblock(source.bytes()) else {
            return Err(source.fault(Fault::Malformed("a section header")));
        };
        let (major, minor) = (section.major_version, section.minor_version);
        if major != VERSION_MAJOR {
            return Err(source.fault(Fault::Version { major, minor }));
        }
        self.interfaces.clear();
        Ok(())
    }

    fn interface<R: Read>(&mut self, source: &mut Source<R>, part: Part) -> Result<(), CaptureError> {
        self.read_block(source, part)?;
        let parse = if self.is_big_endian {
            parse_interfacedescriptionblock_be
        } else {
            parse_interfacedescriptionblock_le
        };
        let Ok((_, block)) = parse(source.bytes()) else {
            return Err(source.fault(Fault::Malformed("an interface description")));
        };
        let link_type = block.linktype.0 as u32;
        if link_type != ETHERNET {
            return Err(source.fault(Fault::LinkType(link_type)));
        }
        if self.interfaces.len() == INTERFACES_MAX {
            return Err(source.fault(Fault::TooManyInterfaces));
        }
        let unit = option(&block, OptionCode::IfTsresol).map_or(RESOLUTION, |[unit]| unit);
        let Some(units_per_second) = units_per_second(unit) else {
            return Err(source.fault(Fault::Resolution(unit)));
        };
        let offset = option(&block, OptionCode::IfTsoffset).unwrap_or_default();
        let offset_seconds =
            if self.is_big_endian { i64::from_be_bytes(offset) } else { i64::from_le_bytes(offset) };
        self.interfaces.push(Interface { units_per_second, offset_seconds, snap_bytes: block.snaplen });
        Ok(())
    }

    fn enhanced<R: Read>(&self, source: &mut Source<R>, index: u64) -> Result<Place, CaptureError> {
        let part = Part::Packet(index);
        self.read_block(source, part)?;
        let parse =
            if self.is_big_endian { parse_enhancedpacketblock_be } else { parse_enhancedpacketblock_le };
        let Ok((_, block)) = parse(source.bytes()) else {
            return Err(source.fault(Fault::Malformed("a packet block")));
        };
        let (captured, wire) = (block.caplen, block.origlen);
        let units = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
        let interface = self.described(source, block.if_id)?;
        if captured > PACKET_BYTES_MAX {
            let fault = Fault::TooLong { part, bytes: captured, most: PACKET_BYTES_MAX };
            return Err(source.fault(fault));
        }
        if captured > wire {
            return Err(source.fault(Fault::MoreThanAll { packet: index, captured, wire }));
        }
        let nanos = Some(interface.nanos(units));
        Ok(Place { start: ENHANCED_FRAME_AT, frame_bytes: captured, wire_bytes: wire, nanos })
    }

    /// A packet of interface 0, without a time; its captured length follows from the interface's limit.
    fn simple<R: Read>(&self, source: &mut Source<R>, index: u64) -> Result<Place, CaptureError> {
        self.read_block(source, Part::Packet(index))?;
        let parse = if self.is_big_endian { parse_simplepacketblock_be } else { parse_simplepacketblock_le };
        let Ok((_, block)) = parse(source.bytes()) else {
            return Err(source.fault(Fault::Malformed("a simple packet block")));
        };
        let (wire, room) = (block.origlen, block.data.len());
        let captured = match self.described(source, 0)?.snap_bytes {
            0 => wire,
            most => wire.min(most),
        };
        if captured > PACKET_BYTES_MAX || captured as usize > room {
            return Err(source.fault(Fault::Malformed("a simple packet block")));
        }
        Ok(Place { start: SIMPLE_FRAME_AT, frame_bytes: captured, wire_bytes: wire, nanos: None })
    }

    /// Reads the rest of a block, and checks its two lengths.
    fn read_block<R: Read>(&self, source: &mut Source<R>, part: Part) -> Result<(), CaptureError> {
        let length = self.length(source)?;
        if length > BLOCK_BYTES_MAX {
            return Err(source.fault(Fault::TooLong { part, bytes: length, most: BLOCK_BYTES_MAX }));
        }
        source.extend_to(length, part)?;
        self.check_tail(source, length)
    }

    /// Passes over the rest of a block of no interest, however long, and checks its two lengths.
    fn skip<R: Read>(&self, source: &mut Source<R>, part: Part) -> Result<(), CaptureError> {
        let length = self.length(source)?;
        source.skip(length - BLOCK_BYTES_MIN, part)?;
        source.extend_to(BLOCK_BYTES_MIN, part)?;
        self.check_tail(source, length)
    }

    fn length<R: Read>(&self, source: &Source<R>) -> Result<u32, CaptureError> {
        let length = self.word(source, 4);
        if length < BLOCK_BYTES_MIN || !length.is_multiple_of(4) {
            return Err(source.fault(Fault::BlockLength(length)));
        }
        Ok(length)
    }

    fn check_tail<R: Read>(&self, source: &Source<R>, head: u32) -> Result<(), CaptureError> {
        let tail = self.word(source, source.bytes().len() - LENGTH_BYTES as usize);
        if tail != head {
            return Err(source.fault(Fault::LengthsDiffer { head, tail }));
        }
        Ok(())
    }

    fn described<R: Read>(&self, source: &Source<R>, interface: u32) -> Result<&Interface, CaptureError> {
        let described = self.interfaces.len();
        let found = self.interfaces.get(interface as usize);
        found.ok_or_else(|| source.fault(Fault::Interface { interface, described }))
    }

    /// A word of the record, in the section's byte order.
    fn word<R: Read>(&self, source: &Source<R>, at: usize) -> u32 {
        let bytes = source.bytes().get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        if self.is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

impl Interface {
    /// Nanoseconds since 1970.
    fn nanos(&self, units: u64) -> u64 {
        let since_offset = i128::from(units) * NANOS_PER_SECOND / i128::from(self.units_per_second);
        let nanos = since_offset + i128::from(self.offset_seconds) * NANOS_PER_SECOND;
        u64::try_from(nanos).unwrap_or(if nanos < 0 { 0 } else { u64::MAX })
    }
}

/// The value of an option of this size, as the file has it.
fn option<const N: usize>(block: &InterfaceDescriptionBlock<'_>, code: OptionCode) -> Option<[u8; N]> {
    let mut options = block.options.iter().take_while(|option| option.code != OptionCode::EndOfOpt);
    options.find(|option| option.code == code)?.as_bytes().ok()?.try_into().ok()
}

fn units_per_second(unit: u8) -> Option<u64> {
    let power = u32::from(unit & !BINARY);
    if unit & BINARY == 0 { 10_u64.checked_pow(power) } else { 1_u64.checked_shl(power) }
}
