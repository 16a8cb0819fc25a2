//! The memory that a dam works on: its own, or the kernel's.
//!
//! The BPF program runs the same arithmetic over the same words. Where it is loaded, its maps are mapped into this process
//! and lent to the dam, so that there is one state and not two that must be kept alike.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Deref;
use core::sync::atomic::{AtomicU32, AtomicU64};

use crate::{Bucket, DamError, Emission, Shift};

/// The words that all devices share, laid out as `struct dam_state` of the BPF program: the buckets at 0, 128, 256, 384 and
/// 512 (TAT, then emission word), the device emission at 640, the count of blocked devices at 648.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct DamState {
    pub(crate) global: Bucket,
    /// Control, live, backfill.
    pub(crate) classes: [Bucket; 3],
    pub(crate) sessions: Bucket,
    pub(crate) device_emission: AtomicU64,
    pub(crate) blocked_devices: AtomicU32,
}

impl DamState {
    /// Idle buckets, every layer off.
    pub(crate) fn idle() -> Self {
        let bucket = || Bucket::with_emission(Emission::OFF, Shift::DAM);
        Self {
            global: bucket(),
            classes: [bucket(), bucket(), bucket()],
            sessions: bucket(),
            device_emission: AtomicU64::new(Emission::OFF.word()),
            blocked_devices: AtomicU32::new(0),
        }
    }
}

/// Memory lent to a dam for as long as the process lives: all zeros at first, written by nobody but dams and the BPF
/// program.
#[derive(Clone, Copy, Debug)]
pub struct DamTables {
    /// The shared words.
    pub state: &'static DamState,
    /// One TAT per device.
    pub device_tats: &'static [AtomicU64],
    /// One slot word per device.
    pub slots: &'static [AtomicU64],
    /// One bit per device, in words of 64.
    pub blocked: &'static [AtomicU64],
}

/// One entry per device, or per 64 of them.
#[derive(Debug)]
pub(crate) enum Table {
    Owned(Box<[AtomicU64]>),
    Lent(&'static [AtomicU64]),
}

impl Table {
    /// A table of `len` zeros. An allocator's refusal is an error, not an abort.
    pub(crate) fn zeros(len: usize) -> Result<Self, DamError> {
        let mut table = Vec::new();
        if table.try_reserve_exact(len).is_err() {
            return Err(DamError::OutOfMemory { bytes: len as u64 * size_of::<u64>() as u64 });
        }
        table.resize_with(len, AtomicU64::default);
        Ok(Self::Owned(table.into_boxed_slice()))
    }

    /// The first `len` entries of a lent table.
    pub(crate) fn lent(table: &'static [AtomicU64], len: usize) -> Result<Self, DamError> {
        table.get(..len).map(Self::Lent).ok_or(DamError::TableTooSmall { needed: len, lent: table.len() })
    }
}

impl Deref for Table {
    type Target = [AtomicU64];

    #[inline]
    fn deref(&self) -> &[AtomicU64] {
        match self {
            Self::Owned(table) => table,
            Self::Lent(table) => table,
        }
    }
}

/// The shared words.
#[derive(Debug)]
pub(crate) enum State {
    Owned(Box<DamState>),
    Lent(&'static DamState),
}

impl Deref for State {
    type Target = DamState;

    #[inline]
    fn deref(&self) -> &DamState {
        match self {
            Self::Owned(state) => state,
            Self::Lent(state) => state,
        }
    }
}
