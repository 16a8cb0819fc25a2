//! From a frame to bytes.

use super::cursor::Writer;
use super::header::{FLAG, Header};
use super::{DeviceKey, FRAME_BYTES_MAX, FrameType, MAC_BYTES, WireError, mac};
use crate::{Cookie, Data, Frame};

/// Writes a frame of `device`, signed with `key` of the master key numbered `key_epoch`, to the front of `out`: its size
/// in bytes. `payload` is DATA's readings, all of one size; empty for every other type.
///
/// # Errors
///
/// [`WireError::Length`] if the payload does not divide into the frame's readings, belongs to a frame without readings,
/// makes the frame too long, or if `out` is too short; [`WireError::Field`] for a round above 3 or readings of 0 bytes.
pub fn encode(
    frame: &Frame,
    device: u32,
    key_epoch: u8,
    key: &DeviceKey,
    payload: &[u8],
    out: &mut [u8],
) -> Result<usize, WireError> {
    let (kind, session, flagged) = outline(frame);
    if kind != FrameType::Data && !payload.is_empty() {
        return Err(WireError::Length);
    }
    let bytes = kind.bytes() + payload.len();
    if bytes > FRAME_BYTES_MAX {
        return Err(WireError::Length);
    }
    let out = out.get_mut(..bytes).ok_or(WireError::Length)?;
    let (message, tag) = out.split_at_mut_checked(bytes - MAC_BYTES).ok_or(WireError::Length)?;
    let flags = if flagged { FLAG } else { 0 };
    let mut writer = Writer::new(message);
    Header { kind, length: bytes as u16, device, session, key_epoch, flags }.write(&mut writer)?;
    fields(frame, payload, &mut writer)?;
    tag.copy_from_slice(&mac::tag(key.bytes(), message));
    Ok(bytes)
}

/// Type, session and whether the type's flag is set.
fn outline(frame: &Frame) -> (FrameType, u16, bool) {
    match *frame {
        Frame::Hello(hello) => (FrameType::Hello, hello.session, hello.cookie.is_some()),
        Frame::Admit(admit) => (FrameType::Admit, admit.session, admit.marks.is_some()),
        Frame::Defer(defer) => (FrameType::Defer, defer.session, false),
        Frame::Redirect { session, .. } => (FrameType::Redirect, session, false),
        Frame::Data(data) => (FrameType::Data, data.session, data.gap),
        Frame::Ack { session, .. } => (FrameType::Ack, session, false),
        Frame::Nack(nack) => (FrameType::Nack, nack.session, false),
        Frame::Bye { session } => (FrameType::Bye, session, false),
    }
}

fn fields(frame: &Frame, payload: &[u8], out: &mut Writer<'_>) -> Result<(), WireError> {
    match frame {
        Frame::Hello(hello) => {
            let Cookie { slot, mac } = hello.cookie.unwrap_or_default();
            out.u16(hello.epoch)?;
            out.u16(hello.backlog)?;
            out.u32(hello.acked.0)?;
            out.u32(hello.acked.1)?;
            out.u32(slot)?;
            out.u32(hello.gateway)?;
            out.u64(mac)
        }
        Frame::Admit(admit) => {
            let (live, backfill) = admit.marks.unwrap_or_default();
            out.u32(admit.backfill_delay_millis)?;
            out.u16(admit.credit)?;
            out.reserved::<2>()?;
            out.u32(live)?;
            out.u32(backfill)?;
            out.u32(admit.term.number())
        }
        Frame::Defer(defer) => {
            out.u32(defer.delay_millis)?;
            out.u32(defer.cookie.slot)?;
            out.reserved::<4>()?;
            out.u64(defer.cookie.mac)
        }
        Frame::Redirect { delay_millis, address, port, .. } => {
            out.u32(*delay_millis)?;
            out.u16(*port)?;
            out.reserved::<2>()?;
            out.reserved::<4>()?;
            out.put(address)
        }
        Frame::Data(data) => data_fields(data, payload, out),
        Frame::Ack { lane, mark, .. } => {
            out.u8(*lane as u8)?;
            out.reserved::<3>()?;
            out.u32(*mark)?;
            out.reserved::<4>()
        }
        Frame::Nack(nack) => {
            out.u8(nack.lane as u8)?;
            out.u8(round(nack.round)?)?;
            out.u8(nack.reason as u8)?;
            out.reserved::<1>()?;
            out.u32(nack.mark)?;
            out.u32(nack.delay_millis)
        }
        Frame::Bye { .. } => out.reserved::<4>(),
    }
}

fn data_fields(data: &Data, payload: &[u8], out: &mut Writer<'_>) -> Result<(), WireError> {
    out.u8(data.lane as u8)?;
    out.u8(round(data.round)? | data.term.number() << 2)?;
    out.u16(data.count)?;
    out.u32(data.prev)?;
    out.u32(data.first)?;
    out.u16(data.stride)?;
    out.u16(reading_bytes(data.count, payload.len())?)?;
    out.u32(data.due_millis)?;
    out.put(payload)
}

fn reading_bytes(count: u16, payload_bytes: usize) -> Result<u16, WireError> {
    let count = usize::from(count);
    if count == 0 {
        return if payload_bytes == 0 { Ok(0) } else { Err(WireError::Length) };
    }
    match payload_bytes {
        0 => Err(WireError::Field),
        bytes if bytes % count == 0 => u16::try_from(bytes / count).map_err(|_| WireError::Length),
        _ => Err(WireError::Length),
    }
}

fn round(round: u8) -> Result<u8, WireError> {
    if round < 4 { Ok(round) } else { Err(WireError::Field) }
}
