//! A report: one gateway's word against some subjects, under its signature.
//!
//! | offset | bytes | field |
//! | --- | --- | --- |
//! | 0 | 2 | reporter |
//! | 2 | 1 | kind of the subjects: 0 devices, 1 address ranges, 2 frames |
//! | 3 | 1 | kind of the evidence |
//! | 4 | 8 | when, by the reporter's wall clock, in microseconds; no two of its reports share one |
//! | 12 | 2 | how long it holds, in seconds; 0 takes it back |
//! | 14 | 2 | subjects |
//! | 16 | 12 | evidence: observed, expected, within milliseconds |
//! | 28 | | the subjects |
//! | end − 64 | 64 | Ed25519 over `klais-threat/1` and all before |

use alloc::boxed::Box;
use alloc::vec::Vec;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::subject::{Subject, SubjectKind};
use crate::wire::{Reader, WireError, Writer};

/// Bytes that the subjects of one report may take.
const SUBJECT_BYTES_MAX: usize = 512;
const SIGNATURE_BYTES: usize = 64;
const HEAD_BYTES: usize = 28;
const REPORT_BYTES_MAX: usize = HEAD_BYTES + SUBJECT_BYTES_MAX + SIGNATURE_BYTES;
const PURPOSE: &[u8; 14] = b"klais-threat/1";

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceKind {
    /// A device sends far more than it used to, and than others do.
    Rate,
    /// Frames under a wrong key or MAC, or that are no frames.
    Forged,
    /// Copies of frames.
    Replayed,
    /// Cookies that no gateway gave.
    Cookie,
    /// The operator says so.
    Operator,
}

impl EvidenceKind {
    const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Rate,
            1 => Self::Forged,
            2 => Self::Replayed,
            3 => Self::Cookie,
            4 => Self::Operator,
            _ => return None,
        })
    }
}

/// Why somebody is reported: so many events where so many would have been usual. Of several subjects the weakest case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What was seen.
    pub kind: EvidenceKind,
    /// Events.
    pub observed: u32,
    /// The most that would still have been usual.
    pub expected: u32,
    /// In so much time, in milliseconds.
    pub window_millis: u32,
}

impl Evidence {
    /// Nothing was counted: the operator says so.
    pub const SAID: Self = Self { kind: EvidenceKind::Operator, observed: 0, expected: 0, window_millis: 0 };
}

/// Which report: no two of a reporter are made at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReportId {
    pub(crate) reporter: u16,
    pub(crate) issued: u64,
}

/// A report, its signature not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) id: ReportId,
    pub(crate) ttl_seconds: u16,
    pub(crate) evidence: Evidence,
    pub(crate) subjects: Vec<Subject>,
}

/// Subjects of one kind that fit into a report.
pub(crate) const fn subjects_max(kind: SubjectKind) -> usize {
    SUBJECT_BYTES_MAX / kind.bytes()
}

impl Report {
    /// The report as bytes. `None` for no subjects, too many, or of different kinds.
    pub(crate) fn sign(&self, key: &SigningKey) -> Option<Box<[u8]>> {
        let kind = self.subjects.first()?.kind();
        let alike = self.subjects.iter().all(|subject| subject.kind() == kind);
        if !alike || self.subjects.len() > subjects_max(kind) {
            return None;
        }
        let mut bytes = alloc::vec![0; HEAD_BYTES + self.subjects.len() * kind.bytes()];
        self.write(kind, &mut Writer::new(&mut bytes)).ok()?;
        let signature = key.sign(&message(&bytes));
        bytes.extend_from_slice(&signature.to_bytes());
        Some(bytes.into())
    }

    fn write(&self, kind: SubjectKind, to: &mut Writer<'_>) -> Result<(), WireError> {
        to.u16(self.id.reporter)?;
        to.u8(kind.number())?;
        to.u8(self.evidence.kind as u8)?;
        to.u64(self.id.issued)?;
        to.u16(self.ttl_seconds)?;
        to.u16(self.subjects.len() as u16)?;
        to.u32(self.evidence.observed)?;
        to.u32(self.evidence.expected)?;
        to.u32(self.evidence.window_millis)?;
        self.subjects.iter().try_for_each(|subject| subject.write(to))
    }

    /// Takes a report apart.
    pub(crate) fn read(bytes: &[u8], devices: u32) -> Result<Self, WireError> {
        if bytes.len() > REPORT_BYTES_MAX {
            return Err(WireError);
        }
        let body = bytes.len().checked_sub(SIGNATURE_BYTES).ok_or(WireError)?;
        let mut from = Reader::new(&bytes[..body]);
        let reporter = from.u16()?;
        let kind = SubjectKind::from_number(from.u8()?).ok_or(WireError)?;
        let evidence_kind = EvidenceKind::from_number(from.u8()?).ok_or(WireError)?;
        let issued = from.u64()?;
        let ttl_seconds = from.u16()?;
        let count = usize::from(from.u16()?);
        let (observed, expected, window_millis) = (from.u32()?, from.u32()?, from.u32()?);
        if count == 0 || count > subjects_max(kind) {
            return Err(WireError);
        }
        let subjects = (0..count)
            .map(|_| {
                let subject = Subject::read(kind, &mut from)?;
                subject.is_admissible(devices).then_some(subject).ok_or(WireError)
            })
            .collect::<Result<Vec<_>, _>>()?;
        if !from.is_empty() {
            return Err(WireError);
        }
        let evidence = Evidence { kind: evidence_kind, observed, expected, window_millis };
        Ok(Self { id: ReportId { reporter, issued }, ttl_seconds, evidence, subjects })
    }
}

/// Which report these bytes say they are.
pub(crate) fn id_of(bytes: &[u8]) -> Result<ReportId, WireError> {
    let mut from = Reader::new(bytes);
    let reporter = from.u16()?;
    from.u16()?;
    Ok(ReportId { reporter, issued: from.u64()? })
}

/// Whether the reporter has signed these bytes.
pub(crate) fn is_signed(bytes: &[u8], key: &VerifyingKey) -> bool {
    let Some((body, signature)) = bytes.split_last_chunk::<SIGNATURE_BYTES>() else { return false };
    key.verify_strict(&message(body), &Signature::from_bytes(signature)).is_ok()
}

fn message(body: &[u8]) -> Vec<u8> {
    [&PURPOSE[..], body].concat()
}
