//! Who is back, since when, and what the fleet still owes: the engine's `World`, as far as devices can see it.
//!
//! A device owes what it held when its power came back, from its next session on the backlog with which that began, less
//! what is acknowledged of it. Devices without power do not count. Kept as a sum, changed by each event.

use crate::error::FleetError;
use crate::lag::histogram;
use hdrhistogram::Histogram;

/// Not waiting for a session, or away.
const NOT_WAITING: u32 = u32::MAX;
const POWERED: u8 = 1;
const SESSION: u8 = 2;
const MICROS_PER_MILLI: u64 = 1_000;

/// Seven bytes a device.
pub struct Returns {
    flags: Vec<u8>,
    waiting_since_millis: Vec<u32>,
    owed: Vec<u16>,
    owed_total: u64,
    online: u32,
    never_connected: u64,
    waits: Histogram<u64>,
}

impl Returns {
    /// Bytes per device.
    pub const BYTES_PER_DEVICE: usize = 7;

    /// All devices with power and session, or none with either.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(devices: u32, online: bool) -> Result<Self, FleetError> {
        let count = devices as usize;
        Ok(Self {
            flags: vec![if online { POWERED | SESSION } else { 0 }; count],
            waiting_since_millis: vec![NOT_WAITING; count],
            owed: vec![0; count],
            owed_total: 0,
            online: if online { devices } else { 0 },
            never_connected: 0,
            waits: histogram()?,
        })
    }

    /// Whether a device has mains power.
    pub fn is_powered(&self, device: u32) -> bool {
        self.flags[device as usize] & POWERED != 0
    }

    /// Readings that powered devices owe.
    pub const fn owed_total(&self) -> u64 {
        self.owed_total
    }

    /// Devices with a session.
    pub const fn online(&self) -> u32 {
        self.online
    }

    /// Power goes.
    pub fn power_off(&mut self, device: u32) {
        let place = device as usize;
        if self.is_powered(device) {
            self.flags[place] &= !POWERED;
            self.owed_total -= u64::from(self.owed[place]);
            self.never_connected += u64::from(self.waiting_since_millis[place] != NOT_WAITING);
            self.waiting_since_millis[place] = NOT_WAITING;
        }
    }

    /// Power is back: the device can talk from `ready_micros` on, and owes `held` readings.
    pub fn power_on(&mut self, device: u32, ready_micros: u64, held: u32) {
        let place = device as usize;
        if !self.is_powered(device) {
            self.flags[place] |= POWERED;
            self.owed_total += u64::from(self.owed[place]);
            let millis = u32::try_from(ready_micros / MICROS_PER_MILLI).unwrap_or(NOT_WAITING);
            self.waiting_since_millis[place] = millis.min(NOT_WAITING - 1);
            self.set_owed(device, held);
        }
    }

    /// A session is up, with this backlog.
    pub fn connected(&mut self, device: u32, now: u64, backlog: u32) {
        let place = device as usize;
        self.online += u32::from(self.flags[place] & SESSION == 0);
        self.flags[place] |= SESSION;
        self.set_owed(device, backlog);
        let since = std::mem::replace(&mut self.waiting_since_millis[place], NOT_WAITING);
        if since != NOT_WAITING {
            let wait = now.saturating_sub(u64::from(since) * MICROS_PER_MILLI);
            self.waits.saturating_record(wait);
        }
    }

    /// The session is gone.
    pub fn disconnected(&mut self, device: u32) {
        let place = device as usize;
        self.online -= u32::from(self.flags[place] & SESSION != 0);
        self.flags[place] &= !SESSION;
    }

    /// So much of the backlog is acknowledged.
    pub fn acknowledged(&mut self, device: u32, readings: u32) {
        let left = u32::from(self.owed[device as usize]).saturating_sub(readings);
        self.set_owed(device, left);
    }

    /// Returned devices that never got a session.
    pub fn never_connected(&self) -> u64 {
        let waiting = self.waiting_since_millis.iter().filter(|since| **since != NOT_WAITING).count();
        self.never_connected + waiting as u64
    }

    /// How long returning devices waited for their session, from when they could talk: microseconds.
    pub const fn waits(&self) -> &Histogram<u64> {
        &self.waits
    }

    fn set_owed(&mut self, device: u32, readings: u32) {
        let is_powered = self.is_powered(device);
        let owed = &mut self.owed[device as usize];
        let before = std::mem::replace(owed, u16::try_from(readings).unwrap_or(u16::MAX));
        if is_powered {
            self.owed_total = self.owed_total - u64::from(before) + u64::from(*owed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_owed_is_the_sum_over_powered_devices() {
        let mut returns = Returns::new(3, true).expect("memory");
        assert_eq!((returns.online(), returns.owed_total()), (3, 0));
        for device in [0, 1] {
            returns.power_off(device);
            returns.disconnected(device);
        }
        returns.power_on(0, 5_000, 40);
        returns.power_on(1, 5_000, 70_000);
        assert_eq!(returns.owed_total(), 40 + 65_535);
        returns.connected(0, 1_005_000, 30);
        returns.acknowledged(0, 10);
        assert_eq!((returns.online(), returns.owed_total()), (2, 20 + 65_535));
        returns.power_off(1);
        assert_eq!(returns.owed_total(), 20);
        returns.acknowledged(0, 25);
        assert_eq!(returns.owed_total(), 0);
        assert_eq!(returns.never_connected(), 1);
        let waits = returns.waits();
        assert_eq!((waits.len(), waits.max()), (1, waits.highest_equivalent(1_000_000)));
    }

    #[test]
    fn what_happens_twice_counts_once() {
        let mut returns = Returns::new(1, true).expect("memory");
        returns.power_off(0);
        returns.power_off(0);
        returns.disconnected(0);
        returns.disconnected(0);
        returns.power_on(0, 0, 5);
        returns.power_on(0, 0, 9);
        assert_eq!((returns.online(), returns.owed_total()), (0, 5));
        returns.connected(0, 7_000, 5);
        returns.connected(0, 9_000, 5);
        assert_eq!((returns.online(), returns.waits().len()), (1, 1));
    }
}
