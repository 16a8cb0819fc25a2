//! One device's rate against its own history, in four bytes.
//!
//! Per window a device's live readings are compared with four times its own average (exponentially weighted, one
//! sixteenth a window), but never with less than what is an outlier among all devices. What lies above is summed up as in
//! Page's CUSUM ("Continuous inspection schemes", Biometrika 1954): S = max(0, S + x − k), alarm at S ≥ h. HELLOs go into
//! the same sum, each for one, with k = `events_floor` and h = 4 k for all devices alike. Readings are scaled to that k.
//!
//! A device of which nothing is known has the readings of its first window taken for its average, up to a limit. Nothing is
//! learnt while S is high, and no window counts for more than twice the average: so nobody becomes usual by force.

use alloc::vec::Vec;

use klais_units::{draw, scale};

use super::population::Population;
use super::rate_code::{CODE_MAX, UNITS, code, value};
use super::{DetectConfig, Level, WEAK_DIVISOR, level_of};
use crate::{Evidence, EvidenceKind, SwarmError};

/// Readings that are usual, in multiples of the average.
const AVERAGE_FACTOR: u64 = 4;
/// The alarm, in multiples of k.
const ALARM_FACTOR: u32 = 4;
/// One window's weight in the average.
const WEIGHT: u64 = 16;
/// Readings by which a window may exceed twice the average and still count in full.
const LEARN_EXTRA: u64 = 8;
/// One idle frame in so many counts: a gateway that restarts makes a whole window of frames idle.
const IDLE_PER_STRIKE: u64 = 16;
/// The table is gone through in so many steps per window.
const STEPS: u64 = 100;
const PURPOSE_LEARN: u64 = 0x7377_6172_6d00_0004;
const PURPOSE_IDLE: u64 = 0x7377_6172_6d00_0005;

/// Readings in this window, code of the average, S.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Word {
    readings: u16,
    average: u8,
    sum: u8,
}

/// All devices.
pub(super) struct Devices {
    words: Vec<Word>,
    population: Population,
    window_micros: u64,
    floor: u32,
    cold: u32,
    key: u64,
    idle_seen: u64,
    /// Where the present window of the first device began; the others' windows begin when the pass reaches them.
    pass_began: u64,
    passes: u64,
    step: u64,
    next: usize,
}

impl Devices {
    pub(super) fn new(config: &DetectConfig, key: u64, now: u64) -> Result<Self, SwarmError> {
        let devices = config.devices as usize;
        let mut words = Vec::new();
        let bytes = devices as u64 * size_of::<Word>() as u64;
        words.try_reserve_exact(devices).map_err(|_| SwarmError::OutOfMemory { bytes })?;
        words.resize(devices, Word::default());
        Ok(Self {
            words,
            population: Population::new(),
            window_micros: config.window_micros,
            floor: config.events_floor,
            cold: config.readings_cold,
            key,
            idle_seen: 0,
            pass_began: now,
            passes: 0,
            step: 0,
            next: 0,
        })
    }

    /// One HELLO, or as bad: the level that is reached by it.
    pub(super) fn strike(&mut self, device: u32) -> Option<Level> {
        let before = self.level(device);
        let word = self.words.get_mut(device as usize)?;
        word.sum = word.sum.saturating_add(1);
        let after = self.level(device);
        (after > before).then_some(after)
    }

    /// An idle frame: the level that is reached by it.
    pub(super) fn idle(&mut self, device: u32) -> Option<Level> {
        self.idle_seen += 1;
        let random = draw(self.key, device.into(), self.idle_seen, PURPOSE_IDLE);
        if scale(random, IDLE_PER_STRIKE) == 0 { self.strike(device) } else { None }
    }

    /// Live readings: the level that is reached by them.
    pub(super) fn readings(&mut self, device: u32, readings: u32) -> Option<Level> {
        let before = self.level(device);
        let word = self.words.get_mut(device as usize)?;
        word.readings = u32::from(word.readings).saturating_add(readings).try_into().unwrap_or(u16::MAX);
        if u32::from(word.readings) < self.floor {
            return None;
        }
        let after = self.level(device);
        (after > before).then_some(after)
    }

    /// Whether nothing of the device has been counted in this window.
    pub(super) fn is_first_of_window(&self, device: u32) -> bool {
        self.words.get(device as usize).is_some_and(|word| word.readings == 0)
    }

    /// Whether the device has a history, and keeps to it.
    pub(super) fn behaves(&self, device: u32) -> bool {
        let Some(word) = self.words.get(device as usize) else { return false };
        word.average > 0 && self.score(word) * WEAK_DIVISOR <= self.floor
    }

    /// How sure this gateway is of the device.
    pub(super) fn level(&self, device: u32) -> Level {
        let score = self.words.get(device as usize).map_or(0, |word| self.score(word));
        level_of(score, self.alarm())
    }

    /// What there is against it.
    pub(super) fn evidence(&self, device: u32) -> Evidence {
        let observed = self.words.get(device as usize).map_or(0, |word| self.score(word));
        let window_millis = u32::try_from(self.window_micros / 1_000).unwrap_or(u32::MAX);
        Evidence { kind: EvidenceKind::Rate, observed, expected: self.floor, window_millis }
    }

    fn alarm(&self) -> u32 {
        self.floor.saturating_mul(ALARM_FACTOR).min(u8::MAX.into())
    }

    /// S, with the present window's readings in it.
    fn score(&self, word: &Word) -> u32 {
        u32::from(word.sum).saturating_add(self.excess(word))
    }

    /// The readings above what is usual, scaled.
    fn excess(&self, word: &Word) -> u32 {
        if u32::from(word.readings) < self.floor {
            return 0;
        }
        let usual = self.usual(word);
        let above = u64::from(word.readings).saturating_sub(usual);
        u32::try_from(above * u64::from(self.floor) / usual.max(1)).unwrap_or(u32::MAX)
    }

    /// Readings in a window that are usual for the device.
    fn usual(&self, word: &Word) -> u64 {
        let cold = if word.average == 0 { u64::from(self.cold) } else { 0 };
        let own = value(word.average) * AVERAGE_FACTOR / UNITS;
        own.max(cold).max(self.population.outlier_events()).max(self.floor.into())
    }

    pub(super) fn next_deadline(&self) -> u64 {
        let after = self.window_micros.saturating_mul(self.step + 1).div_ceil(STEPS);
        self.pass_began.saturating_add(after)
    }

    /// Closes the windows of those devices whose turn it is.
    pub(super) fn poll(&mut self, now: u64) {
        let elapsed = now.saturating_sub(self.pass_began).min(self.window_micros);
        self.step = elapsed.saturating_mul(STEPS) / self.window_micros.max(1);
        let until = (self.words.len() as u64 * self.step / STEPS) as usize;
        while self.next < until {
            self.close(self.next);
            self.next += 1;
        }
        if elapsed >= self.window_micros {
            self.population.close();
            self.passes += 1;
            (self.step, self.next) = (0, 0);
            self.pass_began = now;
        }
    }

    fn close(&mut self, device: usize) {
        let word = self.words[device];
        if word == Word::default() {
            return;
        }
        let readings = u64::from(word.readings);
        if readings > 0 {
            self.population.add(code(readings * UNITS));
        }
        let excess = self.excess(&word);
        let sum = if excess > 0 {
            u32::from(word.sum).saturating_add(excess)
        } else {
            u32::from(word.sum).saturating_sub(self.floor)
        };
        let suspect = level_of(sum, self.alarm()) > Level::None;
        let average = if suspect { word.average } else { self.learn(device, &word) };
        self.words[device] = Word { readings: 0, average, sum: u8::try_from(sum).unwrap_or(u8::MAX) };
    }

    /// The new average. Codes are coarser than what one window changes: rounded up or down by chance, in proportion.
    fn learn(&self, device: usize, word: &Word) -> u8 {
        let seen = u64::from(word.readings) * UNITS;
        if word.average == 0 {
            return code(seen.min(u64::from(self.cold) * UNITS));
        }
        let average = value(word.average);
        let seen = seen.min(average * 2 + LEARN_EXTRA * UNITS);
        let wanted = average * (WEIGHT - 1) + seen;
        let low = code(wanted / WEIGHT);
        let (floor, ceiling) = (value(low) * WEIGHT, value(low.saturating_add(1)) * WEIGHT);
        let random = draw(self.key, device as u64, self.passes, PURPOSE_LEARN);
        let up = low < CODE_MAX && scale(random, (ceiling - floor).max(1)) < wanted.saturating_sub(floor);
        low + u8::from(up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: u64 = 10_000_000;

    fn devices(count: u32) -> Devices {
        Devices::new(&DetectConfig::new(count), 1, 0).expect("room")
    }

    fn windows(devices: &mut Devices, from: u64, count: u64, mut seen: impl FnMut(&mut Devices)) {
        for window in from..from + count {
            seen(devices);
            devices.poll((window + 1) * WINDOW);
        }
    }

    #[test]
    fn the_average_is_learnt_and_forgotten() {
        let mut all = devices(1);
        windows(&mut all, 0, 400, |all| assert_eq!(all.readings(0, 20), None));
        let average = value(all.words[0].average) as f64 / UNITS as f64;
        assert!((15.0..25.0).contains(&average), "{average}");
        assert!(all.behaves(0));
        windows(&mut all, 400, 100, |_| {});
        assert!(!all.behaves(0) && all.words[0] == Word::default());
    }

    #[test]
    fn ten_times_its_rate_is_an_alarm_and_twice_is_not() {
        let mut all = devices(1);
        windows(&mut all, 0, 100, |all| assert_eq!(all.readings(0, 100), None));
        windows(&mut all, 100, 100, |all| assert_eq!(all.readings(0, 200), None));
        let mut levels = Vec::new();
        windows(&mut all, 200, 4, |all| levels.extend(all.readings(0, 4_000)));
        assert_eq!(levels.last(), Some(&Level::Strong), "{levels:?}");
    }

    #[test]
    fn hellos_without_end_are_an_alarm_and_a_stubborn_firmware_is_not() {
        let mut all = devices(2);
        windows(&mut all, 0, 100, |all| {
            for _ in 0..10 {
                assert_eq!(all.strike(0), None, "one a second");
            }
        });
        let levels: Vec<_> = (0..200).filter_map(|_| all.strike(1)).collect();
        assert_eq!(levels, [Level::Weak, Level::Strong]);
    }

    #[test]
    fn nobody_becomes_usual_by_force() {
        let mut all = devices(1);
        windows(&mut all, 0, 50, |all| assert_eq!(all.readings(0, 10), None));
        let before = all.words[0].average;
        windows(&mut all, 50, 50, |all| {
            all.readings(0, 60_000);
        });
        assert_eq!(all.words[0].average, before);
        assert_eq!(all.level(0), Level::Strong);
    }

    #[test]
    fn a_table_is_gone_through_in_one_window_whatever_its_size() {
        for count in [1, 99, 100, 101, 12_345] {
            let mut all = devices(count);
            for device in 0..count {
                all.readings(device, 5);
            }
            let mut now = 0;
            while now < WINDOW {
                now = all.next_deadline();
                all.poll(now);
            }
            assert_eq!(now, WINDOW);
            assert!(all.words.iter().all(|word| word.readings == 0 && word.average > 0), "{count}");
        }
    }
}
