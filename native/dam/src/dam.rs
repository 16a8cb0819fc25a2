//! The dam itself: its state, its limits, its blocklist.

use core::sync::atomic::Ordering::Relaxed;

use crate::blocklist::Blocklist;
use crate::cookie::Keys;
use crate::slot_word::{Attempt, Held, Slot};
use crate::tables::{DamState, DamTables, State, Table};
use crate::{Bucket, DamConfig, DamError, DropReason, Emission, Layer, Limit, Pace, SessionMode, Shift};

/// The layered filter of one gateway. Shared between threads by reference; nothing in it locks.
///
/// Memory: 16 bytes per device and 1 bit (bucket 8, slot 8, blocklist 1 bit), in dense tables indexed by device;
/// 8 bytes less where the device layer is off. Nothing is allocated after [`Dam::new`], and nothing is evicted.
#[derive(Debug)]
pub struct Dam {
    pub(crate) state: State,
    /// One TAT per device; empty if the device layer is off.
    pub(crate) device_tats: Table,
    /// One slot word per device.
    pub(crate) slots: Table,
    blocked: Table,
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
        let buckets = if config.device.is_none() { 0 } else { config.devices as usize };
        Self::build(
            State::Owned(DamState::idle().into()),
            Table::zeros(buckets)?,
            Table::zeros(config.devices as usize)?,
            Table::zeros(Blocklist::words(config.devices))?,
            config,
        )
    }

    /// A dam over lent memory: the same dam as the one that the BPF program runs over the same words. Sets the limits in
    /// it; what the words hold else stays.
    ///
    /// # Errors
    /// As [`Dam::new`], or [`DamError::TableTooSmall`]. Nothing has been written then.
    pub fn over(config: DamConfig, tables: DamTables) -> Result<Self, DamError> {
        let buckets = if config.device.is_none() { 0 } else { config.devices as usize };
        Self::build(
            State::Lent(tables.state),
            Table::lent(tables.device_tats, buckets)?,
            Table::lent(tables.slots, config.devices as usize)?,
            Table::lent(tables.blocked, Blocklist::words(config.devices))?,
            config,
        )
    }

    fn build(
        state: State,
        device_tats: Table,
        slots: Table,
        blocked: Table,
        config: DamConfig,
    ) -> Result<Self, DamError> {
        config.check()?;
        let device = emission(config.device)?;
        let of_control = emission(config.control)?;
        let of_live = emission(config.live)?;
        let of_backfill = emission(config.backfill)?;
        let of_all = emission(config.global)?;
        let of_sessions = emission(config.sessions)?;
        for (bucket, emission) in state.classes.iter().zip([of_control, of_live, of_backfill]) {
            bucket.set_emission(emission);
        }
        state.global.set_emission(of_all);
        state.sessions.set_emission(of_sessions);
        state.device_emission.store(device.word(), Relaxed);
        Ok(Self {
            state,
            device_tats,
            slots,
            blocked,
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
                self.state.device_emission.store(Emission::new(limit, Shift::DAM)?.word(), Relaxed);
                return Ok(());
            }
            Layer::Control => &self.state.classes[0],
            Layer::Live => &self.state.classes[1],
            Layer::Backfill => &self.state.classes[2],
            Layer::Global => &self.state.global,
            Layer::Sessions => &self.state.sessions,
        };
        if bucket.pace().is_off() {
            return Err(DamError::LayerOff);
        }
        // At the dam's shift, whatever the memory of a lent bucket says of its own.
        bucket.set_emission(Emission::new(limit, Shift::DAM)?);
        Ok(())
    }

    /// Puts a device on the blocklist. Whether it was not on it before; an unknown device cannot be blocked.
    pub fn block(&self, device: u32) -> bool {
        device < self.devices() && self.blocklist().set(device, true)
    }

    /// Takes a device off the blocklist. Whether it was on it.
    pub fn unblock(&self, device: u32) -> bool {
        device < self.devices() && self.blocklist().set(device, false)
    }

    /// Whether a device is on the blocklist.
    #[must_use]
    pub fn is_blocked(&self, device: u32) -> bool {
        self.blocklist().contains(device)
    }

    /// Signs cookies with a new key from now on. Those under the key before stay good until the next rotation.
    pub fn rotate_key(&mut self, cookie_key: [u8; 16], key_epoch: u8) {
        self.keys.rotate(cookie_key, key_epoch);
    }

    /// Moves the buckets' zero to `now`, which renews their reach of 417 days ([`Shift::DAM`]): to be called once where
    /// the clock's start is long past, and then once in a few months. Changes no answer; a time from before this
    /// `now` counts as `now` afterwards. One pass over the device buckets. A `now` before the present zero does nothing.
    ///
    /// Not where memory was lent, since its other user counts from its own zero: whether the zero may move at all.
    pub fn rebase(&mut self, now: u64) -> bool {
        let (State::Owned(state), Table::Owned(device_tats)) = (&self.state, &self.device_tats) else {
            return false;
        };
        let units = Shift::DAM.units(now.saturating_sub(self.origin_nanos));
        for bucket in state.classes.iter().chain([&state.global, &state.sessions]) {
            bucket.rebase(units);
        }
        for tat in device_tats {
            tat.store(tat.load(Relaxed).saturating_sub(units), Relaxed);
        }
        self.origin_nanos = self.origin_nanos.max(now);
        true
    }

    /// Notes a HELLO that was answered before this dam was made, so that a copy of it is known for one. A device of which
    /// a HELLO has been seen already keeps what it has.
    pub fn remember(&self, device: u32, attempt: Attempt) {
        if let Some(word) = self.slots.get(device as usize) {
            let word_seen = Held { slot: Slot::Nothing, attempt }.word();
            // Whoever came first knows better.
            let _ = word.compare_exchange(0, word_seen, Relaxed, Relaxed);
        }
    }

    /// The raw buckets, for tests and for comparing with the kernel's: global, control, live, backfill, sessions, in
    /// units of [`Shift::DAM`] since the last rebase.
    #[must_use]
    pub fn tats(&self) -> [u64; 5] {
        let [control, live, backfill] = &self.state.classes;
        [&self.state.global, control, live, backfill, &self.state.sessions].map(Bucket::tat)
    }

    /// The raw bucket of a device; 0 for an unknown one and where the layer is off.
    #[must_use]
    pub fn device_tat(&self, device: u32) -> u64 {
        self.device_tats.get(device as usize).map_or(0, |tat| tat.load(Relaxed))
    }

    /// The raw slot word of a device, for comparing with the kernel's; 0 for an unknown one.
    #[must_use]
    pub fn slot_word(&self, device: u32) -> u64 {
        self.slots.get(device as usize).map_or(0, |word| word.load(Relaxed))
    }

    fn blocklist(&self) -> Blocklist<'_> {
        Blocklist { words: &self.blocked, blocked: &self.state.blocked_devices }
    }

    /// A time in units of the buckets.
    #[inline]
    pub(crate) fn units(&self, now: u64) -> u64 {
        Shift::DAM.units(now.saturating_sub(self.origin_nanos))
    }

    #[inline]
    pub(crate) fn device_pace(&self) -> Pace {
        Emission::from_word(self.state.device_emission.load(Relaxed)).pace()
    }

    /// Whether a frame of this device is looked at at all.
    ///
    /// # Errors
    /// `UnknownDevice` or `Blocked`.
    #[inline]
    pub fn knows(&self, device: u32) -> Result<(), DropReason> {
        if device >= self.devices() {
            Err(DropReason::UnknownDevice)
        } else if self.blocklist().contains(device) {
            Err(DropReason::Blocked)
        } else {
            Ok(())
        }
    }
}

fn emission(limit: Option<Limit>) -> Result<Emission, DamError> {
    limit.map_or(Ok(Emission::OFF), |limit| Emission::new(limit, Shift::DAM))
}
