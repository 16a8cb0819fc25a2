//! The firmware of tests that follow one device step by step.

use klais_burst_sync::{Backoff, BackoffKind, DeviceConfig, Overflow, Schedule, Storage};

pub const SECOND: u64 = 1_000_000;

/// One device that reads every second and reports every ten.
pub fn config() -> DeviceConfig {
    DeviceConfig {
        schedule: Schedule::new(SECOND, 10 * SECOND, 1, 1),
        key: 1,
        keep_alive_micros: 0,
        storage: Storage::Flash,
        buffer_readings: 1_000,
        overflow: Overflow::DropOldest,
        sensing_backup: false,
        backoff: Backoff { kind: BackoffKind::Fixed, base_micros: SECOND, cap_micros: SECOND },
        hello_timeout_micros: 5 * SECOND,
        hello_timeout_max_micros: 60 * SECOND,
        request_timeout_micros: 4 * SECOND,
        retransmissions_max: 4,
        window_frames: 4,
        frame_readings: 10,
        live_first: true,
        gateways: 1,
    }
}
