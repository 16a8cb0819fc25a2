//! From bytes to a frame.

use super::cursor::Reader;
use super::header::Header;
use super::{FrameType, HEADER_BYTES, MAC_BYTES, MasterKeys, WireError, mac};
use crate::{Admit, Cookie, Data, Defer, Frame, Hello, Lane, Nack, NackReason, Term, TermEcho};

/// A frame and whose it is. Borrows the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// Who sent it, or is to get it.
    pub device: u32,
    /// Number of the master key that its key comes from.
    pub key_epoch: u8,
    /// What it says.
    pub frame: Frame,
    /// DATA's readings; empty for every other type.
    pub payload: &'a [u8],
}

/// Reads a datagram without looking at its MAC: for one that somebody else has verified.
///
/// # Errors
///
/// Any [`WireError`] up to [`WireError::Field`].
pub fn parse(bytes: &[u8]) -> Result<Parsed<'_>, WireError> {
    let header = Header::read(bytes)?;
    let body_and_mac = bytes.get(HEADER_BYTES..).ok_or(WireError::Length)?;
    let (body, _) = body_and_mac.split_last_chunk::<MAC_BYTES>().ok_or(WireError::Length)?;
    let mut reader = Reader::new(body);
    let (frame, payload) = match header.kind {
        FrameType::Data => data(&header, reader)?,
        _ => (fixed(&header, &mut reader)?, &[][..]),
    };
    Ok(Parsed { device: header.device, key_epoch: header.key_epoch, frame, payload })
}

/// Reads a datagram and verifies that its device, or a gateway, signed it.
///
/// # Errors
///
/// Any [`WireError`].
pub fn open<'a>(bytes: &'a [u8], keys: &MasterKeys) -> Result<Parsed<'a>, WireError> {
    let parsed = parse(bytes)?;
    let key = keys.device_key(parsed.device, parsed.key_epoch).ok_or(WireError::KeyEpoch)?;
    let (message, tag) = bytes.split_last_chunk::<MAC_BYTES>().ok_or(WireError::Truncated)?;
    if mac::verifies(key.bytes(), message, tag) { Ok(parsed) } else { Err(WireError::Mac) }
}

fn fixed(header: &Header, body: &mut Reader<'_>) -> Result<Frame, WireError> {
    let (session, flag) = (header.session, header.flag()?);
    Ok(match header.kind {
        FrameType::Hello => hello(session, flag, body)?,
        FrameType::Admit => admit(session, flag, body)?,
        FrameType::Defer => {
            let (delay_millis, slot) = (body.u32()?, body.u32()?);
            body.reserved::<4>()?;
            Frame::Defer(Defer { session, delay_millis, cookie: Cookie { slot, mac: body.u64()? } })
        }
        FrameType::Redirect => {
            let (delay_millis, port) = (body.u32()?, body.u16()?);
            body.reserved::<6>()?;
            Frame::Redirect { session, delay_millis, address: body.take()?, port }
        }
        FrameType::Ack => {
            let lane = lane(body)?;
            body.reserved::<3>()?;
            let mark = body.u32()?;
            body.reserved::<4>()?;
            Frame::Ack { session, lane, mark }
        }
        FrameType::Nack => {
            let (lane, round, reason) = (lane(body)?, round(body)?, reason(body)?);
            body.reserved::<1>()?;
            let (mark, delay_millis) = (body.u32()?, body.u32()?);
            Frame::Nack(Nack { session, lane, mark, delay_millis, round, reason })
        }
        FrameType::Bye => {
            body.reserved::<4>()?;
            Frame::Bye { session }
        }
        FrameType::Data => return Err(WireError::Type),
    })
}

fn hello(session: u16, with_cookie: bool, body: &mut Reader<'_>) -> Result<Frame, WireError> {
    let (epoch, backlog) = (body.u16()?, body.u16()?);
    let acked = (body.u32()?, body.u32()?);
    let (slot, gateway) = (body.u32()?, body.u32()?);
    let cookie = optional(with_cookie, Cookie { slot, mac: body.u64()? })?;
    Ok(Frame::Hello(Hello { session, epoch, backlog, cookie, acked, gateway }))
}

fn admit(session: u16, with_marks: bool, body: &mut Reader<'_>) -> Result<Frame, WireError> {
    let (backfill_delay_millis, credit) = (body.u32()?, body.u16()?);
    body.reserved::<2>()?;
    let marks = optional(with_marks, (body.u32()?, body.u32()?))?;
    let term = Term::new(body.u32()?);
    Ok(Frame::Admit(Admit { session, marks, backfill_delay_millis, credit, term }))
}

/// What a flag announces, which is all zero where it does not.
fn optional<T: Default + PartialEq>(announced: bool, value: T) -> Result<Option<T>, WireError> {
    match announced {
        true => Ok(Some(value)),
        false if value == T::default() => Ok(None),
        false => Err(WireError::Field),
    }
}

fn data<'a>(header: &Header, mut body: Reader<'a>) -> Result<(Frame, &'a [u8]), WireError> {
    let (lane_byte, [round_and_term]) = (body.take::<1>()?, body.take::<1>()?);
    let count = body.u16()?;
    let (prev, first) = (body.u32()?, body.u32()?);
    let (stride, reading_bytes) = (body.u16()?, body.u16()?);
    let due_millis = body.u32()?;
    let payload = body.rest();
    if u32::from(count) * u32::from(reading_bytes) != payload.len() as u32 {
        return Err(WireError::Length);
    }
    // Readings of no bytes would let 48 bytes claim 65,535 of them.
    if (count == 0) != (reading_bytes == 0) {
        return Err(WireError::Field);
    }
    let gap = header.flag()?;
    let lane = lane(&mut Reader::new(&lane_byte))?;
    let (round, term) = (round_and_term & 3, TermEcho::new(round_and_term >> 2));
    let session = header.session;
    Ok((
        Frame::Data(Data { session, lane, prev, first, count, stride, due_millis, gap, round, term }),
        payload,
    ))
}

fn lane(body: &mut Reader<'_>) -> Result<Lane, WireError> {
    match body.u8()? {
        0 => Ok(Lane::Live),
        1 => Ok(Lane::Backfill),
        _ => Err(WireError::Field),
    }
}

fn round(body: &mut Reader<'_>) -> Result<u8, WireError> {
    Some(body.u8()?).filter(|round| *round < 4).ok_or(WireError::Field)
}

fn reason(body: &mut Reader<'_>) -> Result<NackReason, WireError> {
    match body.u8()? {
        0 => Ok(NackReason::Gap),
        1 => Ok(NackReason::NoSession),
        2 => Ok(NackReason::Later),
        _ => Err(WireError::Field),
    }
}
