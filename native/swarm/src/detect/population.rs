//! What is usual among all devices.

use super::rate_code::{UNITS, value};

/// Codes of a rate.
const CODES: usize = 256;
/// Fewer devices are no population.
const DEVICES_MIN: u32 = 64;
/// An outlier is further from the median than 3.5 robust standard deviations: median and MAD, with 1.4826 to make the MAD
/// one (Iglewicz, Hoaglin: "How to detect and handle outliers", 1993). In hundredths.
const OUTLIER_PERCENT: u64 = 519;
/// The least spread that is believed, in steps of an eighth of a doubling: rates are whole numbers.
const SPREAD_MIN: u64 = 2;

/// Devices by the logarithm of their readings in a window.
pub(super) struct Population {
    counts: [u32; CODES],
    devices: u32,
    outlier_events: u64,
}

impl Population {
    pub(super) fn new() -> Self {
        Self { counts: [0; CODES], devices: 0, outlier_events: 0 }
    }

    pub(super) fn add(&mut self, code: u8) {
        self.counts[usize::from(code)] += 1;
        self.devices += 1;
    }

    /// Readings in a window from which a device is an outlier, by the last whole window; 0 if nothing is known.
    pub(super) fn outlier_events(&self) -> u64 {
        self.outlier_events
    }

    /// The window is over.
    pub(super) fn close(&mut self) {
        self.outlier_events = 0;
        if self.devices >= DEVICES_MIN {
            let middle = self.devices / 2;
            let median = rank(self.counts.iter().copied(), middle);
            let away = |distance: usize| {
                let above = median.checked_add(distance).and_then(|n| self.counts.get(n)).copied();
                let below = median.checked_sub(distance).filter(|_| distance > 0).map(|n| self.counts[n]);
                above.unwrap_or(0) + below.unwrap_or(0)
            };
            let spread = (rank((0..CODES).map(away), middle) as u64).max(SPREAD_MIN);
            let outlier = (median as u64 + spread * OUTLIER_PERCENT / 100).min(CODES as u64 - 1);
            self.outlier_events = value(outlier as u8) / UNITS;
        }
        self.counts = [0; CODES];
        self.devices = 0;
    }
}

/// Where the element of this rank lies.
fn rank(counts: impl Iterator<Item = u32>, rank: u32) -> usize {
    let mut below = 0;
    for (place, count) in counts.enumerate() {
        below += count;
        if below > rank {
            return place;
        }
    }
    CODES - 1
}

#[cfg(test)]
mod tests {
    use super::super::rate_code::code;
    use super::*;

    #[test]
    fn a_few_loud_ones_do_not_make_it_usual() {
        let mut population = Population::new();
        for n in 0..1_000 {
            let events = if n < 300 { 100_000 } else { 6 + n % 3 };
            population.add(code(events * UNITS));
        }
        population.close();
        let outlier = population.outlier_events();
        assert!((9..100).contains(&outlier), "{outlier}");
        population.add(1);
        population.close();
        assert_eq!(population.outlier_events(), 0, "one device is no population");
    }
}
