//! What a dam is built from.

use crate::{DamError, Limit};

/// The default horizon: promises further ahead than a day are refused.
pub const HORIZON_NANOS: u64 = 24 * 3_600 * 1_000_000_000;
/// The longest horizon, a week: what the slot word's wrapping ticks tell apart with room to spare.
pub const MAX_HORIZON_NANOS: u64 = 7 * HORIZON_NANOS;
/// The default session window: how long after its slot a device may still come.
pub const SESSION_WINDOW_NANOS: u64 = 10_000_000_000;
/// The widest session window, six hours: [`WIDE_WINDOW`] times that is two days, well within the ticks.
pub const MAX_WINDOW_NANOS: u64 = 6 * 3_600 * 1_000_000_000;
/// How much wider the window of a sleepy device, and that of a backfill slot, is.
pub const WIDE_WINDOW: u64 = 8;

/// What becomes of a HELLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionMode {
    /// Every HELLO passes (policy `none`).
    Open,
    /// Over the rate it is dropped (policy `static`).
    Drop,
    /// Over the rate it is given a slot.
    Slots,
}

/// What a dam is built from. `None` for a limit turns that layer off, at no cost, for good.
#[derive(Clone, Debug)]
pub struct DamConfig {
    /// Devices 0 to `devices - 1` are known.
    pub devices: u32,
    /// The limit of each device.
    pub device: Option<Limit>,
    /// The limit of control frames.
    pub control: Option<Limit>,
    /// The limit of live readings.
    pub live: Option<Limit>,
    /// The limit of history, and the pace of backfill slots.
    pub backfill: Option<Limit>,
    /// The limit of all frames together.
    pub global: Option<Limit>,
    /// The limit of HELLOs, and the pace of session slots.
    pub sessions: Option<Limit>,
    /// What becomes of a HELLO.
    pub session_mode: SessionMode,
    /// How long after its slot a device may still come, 1 to [`MAX_WINDOW_NANOS`].
    pub session_window_nanos: u64,
    /// Promises further ahead are refused, 1 to [`MAX_HORIZON_NANOS`].
    pub horizon_nanos: u64,
    /// The secret under which cookies are signed.
    pub cookie_key: [u8; 16],
    /// The number of that key, which cookies are bound to.
    pub key_epoch: u8,
}

impl DamConfig {
    /// All layers off, sessions open, default horizon and window, the key all zeros.
    #[must_use]
    pub const fn open(devices: u32) -> Self {
        Self {
            devices,
            device: None,
            control: None,
            live: None,
            backfill: None,
            global: None,
            sessions: None,
            session_mode: SessionMode::Open,
            session_window_nanos: SESSION_WINDOW_NANOS,
            horizon_nanos: HORIZON_NANOS,
            cookie_key: [0; 16],
            key_epoch: 0,
        }
    }

    /// Bytes that the device tables take: 16 a device and 1 bit; 8 bytes less where the device layer is off.
    #[must_use]
    pub const fn table_bytes(&self) -> u64 {
        let devices = self.devices as u64;
        let bucket = if self.device.is_some() { 8 } else { 0 };
        devices * (8 + bucket) + devices.div_ceil(64) * 8
    }

    pub(crate) const fn check(&self) -> Result<(), DamError> {
        if self.horizon_nanos == 0 || self.horizon_nanos > MAX_HORIZON_NANOS {
            return Err(DamError::Horizon { nanos: self.horizon_nanos });
        }
        if self.session_window_nanos == 0 || self.session_window_nanos > MAX_WINDOW_NANOS {
            return Err(DamError::Window { nanos: self.session_window_nanos });
        }
        Ok(())
    }
}
