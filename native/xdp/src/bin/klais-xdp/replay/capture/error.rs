//! What can be wrong with a capture, and what to do about it.

use std::fmt;
use std::io;

/// A part of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What a file begins with.
    FileHeader,
    /// The packet of this number.
    Packet(u64),
    /// A block that is no packet; the packet of this number would have been next.
    Block(u64),
}

/// What is wrong.
#[derive(Debug)]
pub enum Fault {
    /// No byte in it.
    Empty,
    /// It begins like no capture.
    NoCapture([u8; 4]),
    /// A version that this reader does not know.
    Version {
        /// Before the point.
        major: u16,
        /// Behind it.
        minor: u16,
    },
    /// The frames are not Ethernet.
    LinkType(u32),
    /// The file ends before this part does.
    CutOff {
        /// What is incomplete.
        part: Part,
        /// Its bytes, as far as they are announced.
        wanted: u32,
        /// Those that are there.
        found: u64,
    },
    /// Longer than anything a capture tool writes.
    TooLong {
        /// What says so of itself.
        part: Part,
        /// Its announced bytes.
        bytes: u32,
        /// The most that is read.
        most: u32,
    },
    /// A packet with more bytes captured than it had.
    MoreThanAll {
        /// Its number.
        packet: u64,
        /// Bytes captured.
        captured: u32,
        /// Bytes that it had.
        wire: u32,
    },
    /// A block length that no block has: under 12, or no multiple of 4.
    BlockLength(u32),
    /// A block whose two lengths differ.
    LengthsDiffer {
        /// The one in front.
        head: u32,
        /// The one behind.
        tail: u32,
    },
    /// The fields of a block do not fit in it.
    Malformed(&'static str),
    /// A packet of an interface that was not described.
    Interface {
        /// Its number.
        interface: u32,
        /// Interfaces described so far.
        described: usize,
    },
    /// More interfaces than anybody has.
    TooManyInterfaces,
    /// A unit of time that does not fit 64 bits.
    Resolution(u8),
    /// A Packet Block, which pcapng gave up in 2004.
    Obsolete,
    /// The system could not read on.
    Unreadable(io::Error),
}

/// What is wrong with a capture, and where.
#[derive(Debug)]
pub struct CaptureError {
    /// Where the record begins that is wrong, in bytes from the start of the file.
    pub offset: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FileHeader => f.write_str("the file's header"),
            Self::Packet(index) => write!(f, "packet {index}"),
            Self::Block(index) => write!(f, "the block in front of packet {index}"),
        }
    }
}

impl fmt::Display for CaptureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: ", self.offset)?;
        match &self.fault {
            Fault::Empty => f.write_str("the file is empty: capture again"),
            Fault::NoCapture([0x1f, 0x8b, ..]) => f.write_str("compressed with gzip: unpack it first"),
            Fault::NoCapture(magic) => {
                write!(f, "begins with {magic:02x?}: expected a pcap or pcapng file, as tcpdump -w writes it")
            }
            Fault::Version { major, minor } => {
                write!(
                    f,
                    "format version {major}.{minor}: expected pcap 2.4 or pcapng 1, convert it with editcap"
                )
            }
            Fault::LinkType(found) => {
                write!(
                    f,
                    "link type {found} is not Ethernet ({}): capture on one Ethernet interface, not on any",
                    super::ETHERNET
                )
            }
            Fault::CutOff { part, wanted, found } => {
                write!(
                    f,
                    "{part} is cut off: {wanted} bytes of it are announced and {found} are there: let the capture \
                     end before it is copied"
                )
            }
            Fault::TooLong { part, bytes, most } => {
                write!(f, "{part} claims {bytes} bytes, and {most} are the most: the file is damaged")
            }
            Fault::MoreThanAll { packet, captured, wire } => {
                write!(f, "packet {packet} claims {captured} bytes captured of {wire}: the file is damaged")
            }
            Fault::BlockLength(length) => {
                write!(
                    f,
                    "a block of {length} bytes: at least 12 and a multiple of 4 are possible, the file is damaged"
                )
            }
            Fault::LengthsDiffer { head, tail } => {
                write!(f, "a block claims {head} bytes in front and {tail} behind: the file is damaged")
            }
            Fault::Malformed(block) => {
                write!(f, "the fields of {block} do not fit in it: the file is damaged")
            }
            Fault::Interface { interface, described } => {
                write!(
                    f,
                    "a packet of interface {interface}, and {described} are described: the file is damaged"
                )
            }
            Fault::TooManyInterfaces => {
                write!(f, "more than {} interfaces: split the capture", super::INTERFACES_MAX)
            }
            Fault::Resolution(unit) => {
                write!(f, "time in units of {unit:#04x} is not understood: rewrite the capture with editcap")
            }
            Fault::Obsolete => f.write_str("an obsolete Packet Block: rewrite the capture with editcap"),
            Fault::Unreadable(error) => write!(f, "cannot be read on: {error}"),
        }
    }
}

impl std::error::Error for CaptureError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.fault {
            Fault::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}
