//! When a device takes readings and when it reports: a pure function of its phase, so that nothing is stored.

use crate::READING_INDEX_MAX;
use klais_units::{draw, scale};

/// Devices are numbered by report phase, each moved by a seeded jitter of this many places: close to a random
/// phase for the traffic, close to its neighbours for the cache.
const JITTER_PLACES: u64 = 4_096;
const PURPOSE_PHASE: u64 = 0x7068_6173;

/// The sampling and reporting grid of a fleet.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// Between readings.
    pub reading_micros: u64,
    /// Between reports; a multiple of `reading_micros`.
    pub report_micros: u64,
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
        Self { reading_micros: reading_micros.max(1), report_micros, places, span, step, key }
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
        let first = phase % self.reading_micros;
        if now < first {
            0
        } else {
            ((now - first) / self.reading_micros + 1).min(u64::from(READING_INDEX_MAX)) as u32
        }
    }

    /// When reading `index` is taken.
    #[must_use]
    pub fn taken_at(&self, phase: u64, index: u32) -> u64 {
        phase % self.reading_micros + u64::from(index) * self.reading_micros
    }

    /// First report strictly after `now`.
    #[must_use]
    pub fn next_report(&self, phase: u64, now: u64) -> u64 {
        next_on_grid(phase, self.report_micros, now)
    }

    /// The report that carries reading `index`: the first one at or after it.
    #[must_use]
    pub fn report_of(&self, phase: u64, index: u32) -> u64 {
        let at = self.taken_at(phase, index);
        if at == 0 { phase } else { next_on_grid(phase, self.report_micros, at - 1) }
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
    fn phases_cover_the_interval_evenly() {
        let s = Schedule::new(1_000_000, 1_000_000, 100_000, 9);
        let mut tenths = [0u32; 10];
        for device in 0..100_000 {
            tenths[(s.phase(device) / 100_000) as usize] += 1;
        }
        assert!(tenths.iter().all(|n| (9_000..11_000).contains(n)), "{tenths:?}");
    }
}
