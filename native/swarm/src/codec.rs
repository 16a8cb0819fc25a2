//! Foca's messages as bytes, and nobody in them who is not in the roster.
//!
//! A head takes 24 bytes or 37, and an update 13, so that updates fill the room to the last byte: where some is left, foca
//! goes through all that it has to tell for something that fits.

use alloc::sync::Arc;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::{Buf, BufMut};
use foca::{Codec, Header, Member, Message, State};

use crate::wire::Reader;
use crate::{Identity, Roster};

/// Where the kind of a message stands.
pub(crate) const KIND_AT: usize = IDENTITY_BYTES + 2 + IDENTITY_BYTES;
/// The kind of [`Message::TurnUndead`].
pub(crate) const KIND_TURN_UNDEAD: u8 = 10;

/// Who says so, and in which incarnation, by the bytes of a message.
pub(crate) fn source_of(message: &[u8]) -> Option<(u16, u64)> {
    let mut from = Reader::new(message);
    from.u16().ok().zip(from.u64().ok())
}

const IDENTITY_BYTES: usize = 10;
const MEMBER_BYTES: usize = IDENTITY_BYTES + 3;
/// A head with a number, or with none and a 0.
const SHORT_BYTES: usize = KIND_AT + 2;
/// A head with a third gateway in it.
const LONG_BYTES: usize = SHORT_BYTES + MEMBER_BYTES;
const LONG_PADDING: usize = LONG_BYTES - SHORT_BYTES - IDENTITY_BYTES;
/// Updates that fit beside a short head.
const UPDATES_MAX: usize = 41;
/// Most bytes of foca's part of a datagram, so that there always is room for a report beside it.
pub(crate) const MEMBERSHIP_BYTES_MAX: usize = SHORT_BYTES + 2 + UPDATES_MAX * MEMBER_BYTES;

/// Not a message of this cluster, or no room for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodecError;

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a message of this cluster")
    }
}

impl core::error::Error for CodecError {}

/// Big-endian, one byte for a kind.
pub(crate) struct NodeCodec {
    roster: Arc<Roster>,
    /// Members written so far. Foca writes each change down at once, to tell it on: with none written, none has changed.
    written: Arc<AtomicU64>,
}

impl NodeCodec {
    pub(crate) fn new(roster: Arc<Roster>, written: Arc<AtomicU64>) -> Self {
        Self { roster, written }
    }

    fn identity(&self, from: &mut impl Buf) -> Result<Identity, CodecError> {
        let gateway = from.try_get_u16().map_err(|_| CodecError)?;
        let incarnation = from.try_get_u64().map_err(|_| CodecError)?;
        self.roster.seat_of(gateway).ok_or(CodecError)?;
        Ok(Identity { gateway, incarnation })
    }

    fn message(&self, from: &mut impl Buf) -> Result<Message<Identity>, CodecError> {
        let (kind, probe_number) = (byte(from)?, byte(from)?);
        Ok(match kind {
            0 => Message::Ping(probe_number),
            1 => Message::Ack(probe_number),
            2 => Message::PingReq { target: self.third(from)?, probe_number },
            3 => Message::IndirectPing { origin: self.third(from)?, probe_number },
            4 => Message::IndirectAck { target: self.third(from)?, probe_number },
            5 => Message::ForwardedAck { origin: self.third(from)?, probe_number },
            6 => Message::Announce,
            7 => Message::Feed,
            8 => Message::Gossip,
            9 => Message::Broadcast,
            KIND_TURN_UNDEAD => Message::TurnUndead,
            _ => return Err(CodecError),
        })
    }

    fn third(&self, from: &mut impl Buf) -> Result<Identity, CodecError> {
        let identity = self.identity(from)?;
        for _ in 0..LONG_PADDING {
            byte(from)?;
        }
        Ok(identity)
    }
}

impl Codec<Identity> for NodeCodec {
    type Error = CodecError;

    fn encode_header(&mut self, header: &Header<Identity>, mut to: impl BufMut) -> Result<(), CodecError> {
        let (kind, third, number) = match &header.message {
            Message::Ping(number) => (0, None, *number),
            Message::Ack(number) => (1, None, *number),
            Message::PingReq { target, probe_number } => (2, Some(target), *probe_number),
            Message::IndirectPing { origin, probe_number } => (3, Some(origin), *probe_number),
            Message::IndirectAck { target, probe_number } => (4, Some(target), *probe_number),
            Message::ForwardedAck { origin, probe_number } => (5, Some(origin), *probe_number),
            Message::Announce => (6, None, 0),
            Message::Feed => (7, None, 0),
            Message::Gossip => (8, None, 0),
            Message::Broadcast => (9, None, 0),
            Message::TurnUndead => (KIND_TURN_UNDEAD, None, 0),
        };
        if to.remaining_mut() < LONG_BYTES {
            return Err(CodecError);
        }
        put_identity(&header.src, &mut to);
        to.put_u16(header.src_incarnation);
        put_identity(&header.dst, &mut to);
        to.put_u8(kind);
        to.put_u8(number);
        if let Some(third) = third {
            put_identity(third, &mut to);
            to.put_bytes(0, LONG_PADDING);
        }
        Ok(())
    }

    fn decode_header(&mut self, mut from: impl Buf) -> Result<Header<Identity>, CodecError> {
        Ok(Header {
            src: self.identity(&mut from)?,
            src_incarnation: from.try_get_u16().map_err(|_| CodecError)?,
            dst: self.identity(&mut from)?,
            message: self.message(&mut from)?,
        })
    }

    fn encode_member(&mut self, member: &Member<Identity>, mut to: impl BufMut) -> Result<(), CodecError> {
        if to.remaining_mut() < MEMBER_BYTES {
            return Err(CodecError);
        }
        self.written.fetch_add(1, Relaxed);
        put_identity(member.id(), &mut to);
        to.put_u16(member.incarnation());
        to.put_u8(match member.state() {
            State::Alive => 0,
            State::Suspect => 1,
            State::Down => 2,
        });
        Ok(())
    }

    fn decode_member(&mut self, mut from: impl Buf) -> Result<Member<Identity>, CodecError> {
        let identity = self.identity(&mut from)?;
        let incarnation = from.try_get_u16().map_err(|_| CodecError)?;
        let state = match byte(&mut from)? {
            0 => State::Alive,
            1 => State::Suspect,
            2 => State::Down,
            _ => return Err(CodecError),
        };
        Ok(Member::new(identity, incarnation, state))
    }
}

fn byte(from: &mut impl Buf) -> Result<u8, CodecError> {
    from.try_get_u8().map_err(|_| CodecError)
}

fn put_identity(identity: &Identity, to: &mut impl BufMut) {
    to.put_u16(identity.gateway);
    to.put_u64(identity.incarnation);
}
