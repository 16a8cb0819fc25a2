//! What a device's firmware is set to.

use crate::{Backoff, Schedule};

/// What a full buffer gives up. Every lost reading is counted, and the stream says that there is a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest readings.
    DropOldest,
    /// The readings that find no room.
    DropNewest,
    /// Every second reading, again and again: the whole time stays covered, ever more coarsely.
    Decimate,
}

impl Overflow {
    /// By its name in a scenario.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "drop-oldest" => Self::DropOldest,
            "drop-newest" => Self::DropNewest,
            "decimate" => Self::Decimate,
            _ => return None,
        })
    }
}

/// Where readings wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Survives a power cut.
    Flash,
    /// Lost with the power; the device's epoch then rises.
    Volatile,
}

impl Storage {
    /// By its name in a scenario.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "flash" => Self::Flash,
            "volatile" => Self::Volatile,
            _ => return None,
        })
    }
}

/// One firmware, shared by a fleet. Times in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct DeviceConfig {
    /// Sampling and reporting grid.
    pub schedule: Schedule,
    /// Key of the device's draws.
    pub key: u64,
    /// 0: none.
    pub keep_alive_micros: u64,
    /// Where readings wait.
    pub storage: Storage,
    /// 1 to 65,535 readings.
    pub buffer_readings: u16,
    /// What a full buffer gives up.
    pub overflow: Overflow,
    /// The sensor reads on without mains power.
    pub sensing_backup: bool,
    /// Waits between connection attempts.
    pub backoff: Backoff,
    /// Wait for an answer to the first HELLO; doubles up to the maximum.
    pub hello_timeout_micros: u64,
    /// Longest wait for an answer to HELLO.
    pub hello_timeout_max_micros: u64,
    /// Wait for an ACK; doubles with each retransmission.
    pub request_timeout_micros: u64,
    /// Retransmissions before the session is given up, 3 at most; 0: a timeout ends it, as in a Kafka client.
    pub retransmissions_max: u8,
    /// Frames on their way per lane, 1 to 255.
    pub window_frames: u8,
    /// Readings per DATA frame, 1 to 255.
    pub frame_readings: u8,
    /// Fresh readings go first; else they wait behind the backlog.
    pub live_first: bool,
    /// Gateways on the list that a device was given.
    pub gateways: u16,
}

/// A setting that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The named setting must be at least 1.
    Zero(&'static str),
    /// Reports must be a whole multiple of readings apart.
    ReportInterval,
}

impl DeviceConfig {
    /// Readings that may be on their way per lane.
    pub(crate) fn window_readings(&self) -> u32 {
        u32::from(self.window_frames) * u32::from(self.frame_readings)
    }

    /// Checks the settings that a wrong value would make meaningless.
    ///
    /// # Errors
    /// Names the first setting that cannot work.
    pub fn check(&self) -> Result<(), ConfigError> {
        let positive = [
            ("reading_micros", self.schedule.reading_micros),
            ("report_micros", self.schedule.report_micros),
            ("buffer_readings", u64::from(self.buffer_readings)),
            ("hello_timeout_micros", self.hello_timeout_micros),
            ("hello_timeout_max_micros", self.hello_timeout_max_micros),
            ("request_timeout_micros", self.request_timeout_micros),
            ("window_frames", u64::from(self.window_frames)),
            ("frame_readings", u64::from(self.frame_readings)),
            ("gateways", u64::from(self.gateways)),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(ConfigError::Zero(name));
        }
        if !self.schedule.report_micros.is_multiple_of(self.schedule.reading_micros) {
            return Err(ConfigError::ReportInterval);
        }
        Ok(())
    }
}
