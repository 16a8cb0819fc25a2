//! When a device takes readings and when it reports: a pure function of its phase, so that nothing is stored.

use crate::READING_INDEX_MAX;
use klais_units::{draw, scale};

/// Devices are numbered by report phase, each moved by a seeded jitter of this many places: close to a random
/// phase for the traffic, close to its neighbours for the cache.
const JITTER_PLACES: u64 = 512;
const PURPOSE_PHASE: u64 = 0x7068_6173;

/// The sampling and reporting grid of a fleet.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Between readings.
    pub reading_micros: u64,
    /// Between reports; a multiple of `reading_micros`.
    pub report_micros: u64,
    reading: Divisor,
    report: Divisor,
    places: u64,
    span: u64,
    step: u128,
    key: u64,
}

impl Schedule {
    /// A grid for `devices` devices; `key` seeds the phases.
    #[must_use]
    pub fn new(reading_micros: u64, report_micros: u64, devices: u32, key: u64) -> Self {
        let devices = u64::from(devices.max(1));
        let (places, span) = (JITTER_PLACES.min(devices), devices << 16);
        let step = (u128::from(report_micros) << 64) / u128::from(span);
        let reading_micros = reading_micros.max(1);
        let (reading, report) = (Divisor::new(reading_micros), Divisor::new(report_micros));
        Self { reading_micros, report_micros, reading, report, places, span, step, key }
    }

    /// Report phase of a device, 0 to `report_micros` - 1.
    #[must_use]
    pub fn phase(&self, device: u32) -> u64 {
        let jitter = scale(draw(self.key, u64::from(device), 0, PURPOSE_PHASE), self.places << 16);
        let place = ((u64::from(device) << 16) + jitter) % self.span;
        let phase = ((u128::from(place) * self.step) >> 64) as u64;
        phase.min(self.report_micros.saturating_sub(1))
    }

    /// Readings taken up to and including `now`: the index of the next one. Stands still at `READING_INDEX_MAX`.
    #[must_use]
    pub fn taken(&self, phase: u64, now: u64) -> u32 {
        let first = self.first_reading(phase);
        if now < first {
            0
        } else {
            (self.reading.quotient(now - first) + 1).min(u64::from(READING_INDEX_MAX)) as u32
        }
    }

    /// When reading `index` is taken.
    #[must_use]
    pub fn taken_at(&self, phase: u64, index: u32) -> u64 {
        self.first_reading(phase) + u64::from(index) * self.reading_micros
    }

    /// First report strictly after `now`.
    #[must_use]
    pub fn next_report(&self, phase: u64, now: u64) -> u64 {
        if now < phase { phase } else { phase + (self.report.quotient(now - phase) + 1) * self.report_micros }
    }

    fn first_reading(&self, phase: u64) -> u64 {
        phase - self.reading.quotient(phase) * self.reading_micros
    }

    /// The report that carries reading `index`: the first one at or after it.
    #[must_use]
    pub fn report_of(&self, phase: u64, index: u32) -> u64 {
        let at = self.taken_at(phase, index);
        if at == 0 { phase } else { self.next_report(phase, at - 1) }
    }
}

/// Division by a fixed number as a multiplication and at most one correction: every event of a device divides several
/// times. (Granlund and Montgomery, "Division by Invariant Integers using Multiplication", PLDI 1994.)
#[derive(Clone, Copy, Debug)]
struct Divisor {
    by: u64,
    reciprocal: u64,
}

impl Divisor {
    /// Division by 0 is division by 1.
    fn new(by: u64) -> Self {
        let by = by.max(1);
        Self { by, reciprocal: u64::MAX / by }
    }

    fn quotient(&self, n: u64) -> u64 {
        let mut estimate = ((u128::from(n) * u128::from(self.reciprocal)) >> 64) as u64;
        // The reciprocal is rounded down, so the estimate is at most two too small.
        while n - estimate * self.by >= self.by {
            estimate += 1;
        }
        estimate
    }
}

/// First instant strictly after `now` on the grid `phase + k * period`.
pub(crate) fn next_on_grid(phase: u64, period: u64, now: u64) -> u64 {
    if now < phase {
        return phase;
    }
    let period = period.max(1);
    phase + ((now - phase) / period + 1) * period
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_carry_the_reading_taken_with_them() {
        let s = Schedule::new(900, 3_600, 1_000, 1);
        for device in 0..1_000 {
            let phase = s.phase(device);
            assert!(phase < 3_600);
            let report = s.next_report(phase, 10_000);
            let newest = s.taken(phase, report) - 1;
            assert_eq!(s.taken_at(phase, newest), report);
            assert_eq!(s.report_of(phase, newest), report);
            assert_eq!(s.report_of(phase, newest - 3), report);
            assert_eq!(s.report_of(phase, newest - 4), report - 3_600);
        }
    }

    #[test]
    fn divisors_divide() {
        for by in [1, 2, 3, 7, 900_000_000, 3_600_000_000, u64::MAX / 2, u64::MAX] {
            let divisor = Divisor::new(by);
            for n in [0, 1, by - 1, by, by.saturating_add(1), by.saturating_mul(3), u64::MAX - 1, u64::MAX] {
                assert_eq!(divisor.quotient(n), n / by, "{n} / {by}");
            }
        }
    }

    #[test]
    fn phases_cover_the_interval_evenly() {
        let s = Schedule::new(1_000_000, 1_000_000, 100_000, 9);
        let mut tenths = [0u32; 10];
        for device in 0..100_000 {
            tenths[(s.phase(device) / 100_000) as usize] += 1;
        }
        assert!(tenths.iter().all(|n| (9_000..11_000).contains(n)), "{tenths:?}");
    }
}
