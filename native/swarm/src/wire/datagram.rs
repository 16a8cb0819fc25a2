//! A datagram: who says it to whom, what foca has to say, the sender's load, reports of threats, and a MAC over it all.
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | number of the cluster key |
//! | 2 | 2 | length of the datagram |
//! | 4 | 2 | sender |
//! | 6 | 2 | receiver |
//! | 8 | 8 | the sender's incarnation |
//! | 16 | 8 | the receiver's incarnation as the sender knows it, 0 for none |
//! | 24 | 8 | number of the datagram, from 1; each that the process sends has the next |
//! | 32 | 2 | bytes of foca's part |
//! | 34 | 1 | reports |
//! | 35 | 1 | reserved, 0 |
//! | 36 | 8 | digest of the reports that the sender holds |
//! | 44 | 20 | the sender's load |
//! | 64 | | foca's part, then the reports, each behind its length in 2 bytes |
//! | end − 16 | 16 | SipHash-2-4-128 of all before, under the cluster key |

use alloc::vec::Vec;

use super::{Reader, WireError, Writer};
use crate::codec::MEMBERSHIP_BYTES_MAX;
use crate::keys::MAC_BYTES;
use crate::load::LOAD_BYTES;
use crate::{ClusterKeys, Load, Refusal};

/// The longest datagram, sent or taken.
pub const DATAGRAM_BYTES_MAX: usize = 1_400;
/// Reports in one datagram.
const REPORTS_MAX: u8 = 16;

const VERSION: u8 = 1;
const FIXED_BYTES: usize = 44;
const LENGTH_AT: usize = 2;
const REPORTS_AT: usize = 34;
const HEAD_BYTES: usize = FIXED_BYTES + LOAD_BYTES;

/// What stands in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) from_incarnation: u64,
    pub(crate) to_incarnation: u64,
    pub(crate) sequence: u64,
    pub(crate) digest: u64,
    pub(crate) load: Load,
}

/// An authentic datagram.
pub(crate) struct Opened<'a> {
    pub(crate) head: Head,
    pub(crate) membership: &'a [u8],
    reports: Reader<'a>,
}

impl<'a> Opened<'a> {
    /// The reports as bytes; checked to be whole, and nothing else.
    pub(crate) fn reports(mut self) -> impl Iterator<Item = &'a [u8]> {
        core::iter::from_fn(move || {
            let bytes = self.reports.u16().ok()?;
            self.reports.bytes(bytes.into()).ok()
        })
    }
}

/// Who says that they sent this, before anything is known of its truth.
pub(crate) fn peek(bytes: &[u8]) -> Result<u16, Refusal> {
    if bytes.len() < HEAD_BYTES + MAC_BYTES {
        return Err(Refusal::Truncated);
    }
    let mut reader = Reader::new(bytes);
    let mut head = || -> Result<_, WireError> {
        let (version, _) = (reader.u8()?, reader.u8()?);
        Ok((version, reader.u16()?, reader.u16()?))
    };
    let (version, length, from) = head().map_err(|_| Refusal::Truncated)?;
    if version != VERSION {
        return Err(Refusal::Version);
    }
    if usize::from(length) != bytes.len() || bytes.len() > DATAGRAM_BYTES_MAX {
        return Err(Refusal::Length);
    }
    Ok(from)
}

/// Checks the MAC and takes the datagram apart. [`peek`] has been called.
pub(crate) fn open<'a>(bytes: &'a [u8], keys: &ClusterKeys) -> Result<Opened<'a>, Refusal> {
    let split = bytes.len().checked_sub(MAC_BYTES).ok_or(Refusal::Truncated)?;
    let (message, mac) = bytes.split_at(split);
    let epoch = message.get(1).copied().ok_or(Refusal::Truncated)?;
    match keys.verifies(epoch, message, mac) {
        None => return Err(Refusal::KeyEpoch),
        Some(false) => return Err(Refusal::Mac),
        Some(true) => {}
    }
    take_apart(message).map_err(|_| Refusal::Field)
}

fn take_apart(message: &[u8]) -> Result<Opened<'_>, WireError> {
    let mut from = Reader::new(message);
    from.u32()?;
    let (sender, receiver) = (from.u16()?, from.u16()?);
    let (from_incarnation, to_incarnation) = (from.u64()?, from.u64()?);
    let sequence = from.u64()?;
    let membership_bytes = from.u16()?;
    let (reports, reserved) = (from.u8()?, from.u8()?);
    let digest = from.u64()?;
    let load = Load::read(&mut from)?;
    if reserved != 0 || reports > REPORTS_MAX {
        return Err(WireError);
    }
    let membership = from.bytes(membership_bytes.into())?;
    let rest = from.remaining();
    let mut look = Reader::new(rest);
    for _ in 0..reports {
        let bytes = look.u16()?;
        look.bytes(bytes.into())?;
    }
    if !look.is_empty() {
        return Err(WireError);
    }
    let head = Head { from: sender, to: receiver, from_incarnation, to_incarnation, sequence, digest, load };
    Ok(Opened { head, membership, reports: Reader::new(rest) })
}

/// A datagram in the making.
pub(crate) struct Sealer {
    bytes: Vec<u8>,
    reports: u8,
}

impl Sealer {
    /// With its head and foca's part. `None` if that is longer than may be.
    pub(crate) fn new(head: &Head, key_epoch: u8, membership: &[u8]) -> Option<Self> {
        if membership.len() > MEMBERSHIP_BYTES_MAX {
            return None;
        }
        let mut fixed = [0; HEAD_BYTES];
        let mut to = Writer::new(&mut fixed);
        let mut write = || -> Result<(), WireError> {
            to.u8(VERSION)?;
            to.u8(key_epoch)?;
            to.u16(0)?;
            to.u16(head.from)?;
            to.u16(head.to)?;
            to.u64(head.from_incarnation)?;
            to.u64(head.to_incarnation)?;
            to.u64(head.sequence)?;
            to.u16(membership.len() as u16)?;
            to.u16(0)?;
            to.u64(head.digest)?;
            head.load.write(&mut to)
        };
        write().ok()?;
        let mut bytes = Vec::with_capacity(DATAGRAM_BYTES_MAX);
        bytes.extend_from_slice(&fixed);
        bytes.extend_from_slice(membership);
        Some(Self { bytes, reports: 0 })
    }

    /// Whether a report of so many bytes still fits.
    pub(crate) fn has_room(&self, report_bytes: usize) -> bool {
        self.reports < REPORTS_MAX && self.bytes.len() + 2 + report_bytes + MAC_BYTES <= DATAGRAM_BYTES_MAX
    }

    /// Adds a report. Whether it fitted.
    pub(crate) fn add(&mut self, report: &[u8]) -> bool {
        let fits = self.has_room(report.len());
        if fits {
            self.bytes.extend_from_slice(&(report.len() as u16).to_be_bytes());
            self.bytes.extend_from_slice(report);
            self.reports += 1;
        }
        fits
    }

    /// The datagram.
    pub(crate) fn seal(mut self, keys: &ClusterKeys) -> Vec<u8> {
        let length = (self.bytes.len() + MAC_BYTES) as u16;
        self.bytes[LENGTH_AT..LENGTH_AT + 2].copy_from_slice(&length.to_be_bytes());
        self.bytes[REPORTS_AT] = self.reports;
        let mac = keys.tag(&self.bytes);
        self.bytes.extend_from_slice(&mac);
        self.bytes
    }
}
