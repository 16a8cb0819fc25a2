//! The dam itself: its state, its limits, its blocklist.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::blocklist::Blocklist;
use crate::cookie::Keys;
use crate::table::atomic_table;
use crate::{Bucket, DamConfig, DamError, DropReason, Emission, Layer, Limit, Pace, SessionMode, Shift};

/// The layered filter of one gateway. Shared between threads by reference; nothing in it locks.
///
/// Memory: 12 bytes per device and 1 bit (bucket 8, slot 4, blocklist 1 bit), in dense tables indexed by device;
/// 8 bytes less where the device layer is off. Nothing is allocated after [`Dam::new`], and nothing is evicted.
#[derive(Debug)]
pub struct Dam {
    pub(crate) global: Bucket,
    /// Control, live, backfill.
    pub(crate) classes: [Bucket; 3],
    pub(crate) sessions: Bucket,
    /// One TAT per device; empty if the device layer is off.
    pub(crate) device_tats: Box<[AtomicU64]>,
    device_emission: AtomicU64,
    /// One slot word per device.
    pub(crate) slots: Box<[AtomicU32]>,
    pub(crate) blocklist: Blocklist,
    pub(crate) keys: Keys,
    pub(crate) session_mode: SessionMode,
    pub(crate) session_window_nanos: u64,
    pub(crate) horizon_nanos: u64,
    /// Where unit 0 of the buckets lies.
    origin_nanos: u64,
}

impl Dam {
    /// A dam with all buckets idle and no device blocked.
    ///
    /// # Errors
    /// [`DamError`], when a limit, the horizon or the window is out of range or the tables find no memory
    /// ([`DamConfig::table_bytes`] tells beforehand what they take).
    pub fn new(config: DamConfig) -> Result<Self, DamError> {
        config.check()?;
        let device = emission(config.device)?;
        let bucket = |limit| emission(limit).map(|e| Bucket::with_emission(e, Shift::DAM));
        let buckets = if device == Emission::OFF { 0 } else { config.devices as usize };
        Ok(Self {
            global: bucket(config.global)?,
            classes: [bucket(config.control)?, bucket(config.live)?, bucket(config.backfill)?],
            sessions: bucket(config.sessions)?,
            device_tats: atomic_table(buckets)?,
            device_emission: AtomicU64::new(device.word()),
            slots: atomic_table(config.devices as usize)?,
            blocklist: Blocklist::new(config.devices)?,
            keys: Keys::new(config.cookie_key, config.key_epoch),
            session_mode: config.session_mode,
            session_window_nanos: config.session_window_nanos,
            horizon_nanos: config.horizon_nanos,
            origin_nanos: 0,
        })
    }

    /// How many devices the dam knows.
    #[must_use]
    pub fn devices(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Changes a layer's limit, at any moment, in one atomic store. What was charged stays charged, and slots already
    /// promised stay valid.
    ///
    /// # Errors
    /// [`DamError::LayerOff`] for a layer that was off when the dam was built, or what [`Emission::new`] refuses; the
    /// old limit stays then.
    pub fn set_limit(&self, layer: Layer, limit: Limit) -> Result<(), DamError> {
        let bucket = match layer {
            Layer::Device => {
                if self.device_pace().is_off() {
                    return Err(DamError::LayerOff);
                }
                self.device_emission.store(Emission::new(limit, Shift::DAM)?.word(), Relaxed);
                return Ok(());
            }
            Layer::Control => &self.classes[0],
            Layer::Live => &self.classes[1],
            Layer::Backfill => &self.classes[2],
            Layer::Global => &self.global,
            Layer::Sessions => &self.sessions,
        };
        if bucket.pace().is_off() { Err(DamError::LayerOff) } else { bucket.set_limit(limit) }
    }

    /// Puts a device on the blocklist. Whether it was not on it before; an unknown device cannot be blocked.
    pub fn block(&self, device: u32) -> bool {
        device < self.devices() && self.blocklist.set(device, true)
    }

    /// Takes a device off the blocklist. Whether it was on it.
    pub fn unblock(&self, device: u32) -> bool {
        device < self.devices() && self.blocklist.set(device, false)
    }

    /// Whether a device is on the blocklist.
    #[must_use]
    pub fn is_blocked(&self, device: u32) -> bool {
        self.blocklist.contains(device)
    }

    /// Signs cookies with a new key from now on. Those under the key before stay good until the next rotation.
    pub fn rotate_key(&mut self, cookie_key: [u8; 16], key_epoch: u8) {
        self.keys.rotate(cookie_key, key_epoch);
    }

    /// Moves the buckets' zero to `now`, which renews their reach of 417 days ([`Shift::DAM`]): to be called once where
    /// the clock's start is long past, and then once in a few months. Changes no answer; a time from before this
    /// `now` counts as `now` afterwards. One pass over the device buckets. A `now` before the present zero does nothing.
    pub fn rebase(&mut self, now: u64) {
        let units = self.units(now);
        self.origin_nanos = self.origin_nanos.max(now);
        for bucket in self.classes.iter_mut().chain([&mut self.global, &mut self.sessions]) {
            bucket.rebase(units);
        }
        for tat in &mut self.device_tats {
            let tat = tat.get_mut();
            *tat = tat.saturating_sub(units);
        }
    }

    /// The raw buckets, for tests and for comparing with the kernel's: global, control, live, backfill, sessions, in
    /// units of [`Shift::DAM`] since the last rebase.
    #[must_use]
    pub fn tats(&self) -> [u64; 5] {
        let [control, live, backfill] = &self.classes;
        [&self.global, control, live, backfill, &self.sessions].map(Bucket::tat)
    }

    /// The raw bucket of a device; 0 for an unknown one and where the layer is off.
    #[must_use]
    pub fn device_tat(&self, device: u32) -> u64 {
        self.device_tats.get(device as usize).map_or(0, |tat| tat.load(Relaxed))
    }

    /// A time in units of the buckets.
    #[inline]
    pub(crate) fn units(&self, now: u64) -> u64 {
        Shift::DAM.units(now.saturating_sub(self.origin_nanos))
    }

    #[inline]
    pub(crate) fn device_pace(&self) -> Pace {
        Emission::from_word(self.device_emission.load(Relaxed)).pace()
    }

    /// Whether a frame of this device is looked at at all.
    #[inline]
    pub(crate) fn check_device(&self, device: u32) -> Result<(), DropReason> {
        if device >= self.devices() {
            Err(DropReason::UnknownDevice)
        } else if self.blocklist.contains(device) {
            Err(DropReason::Blocked)
        } else {
            Ok(())
        }
    }
}

fn emission(limit: Option<Limit>) -> Result<Emission, DamError> {
    limit.map_or(Ok(Emission::OFF), |limit| Emission::new(limit, Shift::DAM))
}
