//! The twelve bytes that every frame begins with, and what they say about its size.

use super::WireError;
use super::cursor::{Reader, Writer};

/// The version that this module speaks.
pub const VERSION: u8 = 1;
/// UDP port of a gateway, unless it is set to another.
pub const PORT: u16 = 7447;
/// Bytes before the first field of a type.
pub const HEADER_BYTES: usize = 12;
/// Bytes after the last field.
pub const MAC_BYTES: usize = 16;
/// Largest frame: with IPv6 and UDP headers 1,448 bytes, which leaves a tunnel 52 of an Ethernet packet's 1,500.
pub const FRAME_BYTES_MAX: usize = 1_400;

/// The cookie of a HELLO, the marks of an ADMIT, the gap of a DATA.
pub(super) const FLAG: u8 = 1;

/// What kind of frame it is: byte 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FrameType {
    /// Asks for a session.
    Hello = 1,
    /// Opens one.
    Admit = 2,
    /// Come back later.
    Defer = 3,
    /// Go elsewhere.
    Redirect = 4,
    /// Readings.
    Data = 5,
    /// Durable.
    Ack = 6,
    /// Turned away.
    Nack = 7,
    /// The session is over.
    Bye = 8,
}

impl FrameType {
    /// Every type.
    pub const ALL: [Self; 8] =
        [Self::Hello, Self::Admit, Self::Defer, Self::Redirect, Self::Data, Self::Ack, Self::Nack, Self::Bye];

    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            1 => Self::Hello,
            2 => Self::Admit,
            3 => Self::Defer,
            4 => Self::Redirect,
            5 => Self::Data,
            6 => Self::Ack,
            7 => Self::Nack,
            8 => Self::Bye,
            _ => return None,
        })
    }

    /// Size of the whole frame without payload, which only DATA has.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Hello | Self::Redirect => 56,
            Self::Admit | Self::Defer | Self::Data => 48,
            Self::Ack | Self::Nack => 40,
            Self::Bye => 32,
        }
    }

    const fn flags(self) -> u8 {
        match self {
            Self::Hello | Self::Admit | Self::Data => FLAG,
            Self::Defer | Self::Redirect | Self::Ack | Self::Nack | Self::Bye => 0,
        }
    }

    const fn may_be(self, length: usize) -> bool {
        match self {
            Self::Data => length >= self.bytes() && length <= FRAME_BYTES_MAX,
            _ => length == self.bytes(),
        }
    }
}

/// A header whose version, type and length are right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub kind: FrameType,
    pub length: u16,
    pub device: u32,
    pub session: u16,
    pub key_epoch: u8,
    pub flags: u8,
}

impl Header {
    /// Checks version, type and length against the datagram, in this order. Flags are the caller's to check.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        if bytes.len() < HEADER_BYTES + MAC_BYTES {
            return Err(WireError::Truncated);
        }
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(WireError::Version);
        }
        let kind = FrameType::from_byte(reader.u8()?).ok_or(WireError::Type)?;
        let length = reader.u16()?;
        if usize::from(length) != bytes.len() || !kind.may_be(bytes.len()) {
            return Err(WireError::Length);
        }
        let (device, session) = (reader.u32()?, reader.u16()?);
        Ok(Self { kind, length, device, session, key_epoch: reader.u8()?, flags: reader.u8()? })
    }

    /// Whether the type's one flag is set; an error if one is set that it does not have.
    pub fn flag(&self) -> Result<bool, WireError> {
        if self.flags & !self.kind.flags() != 0 {
            return Err(WireError::Field);
        }
        Ok(self.flags & FLAG != 0)
    }

    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), WireError> {
        out.u8(VERSION)?;
        out.u8(self.kind as u8)?;
        out.u16(self.length)?;
        out.u32(self.device)?;
        out.u16(self.session)?;
        out.u8(self.key_epoch)?;
        out.u8(self.flags)
    }
}
