//! Who is silent, since when, and with how much: cohorts of devices that fell silent together.

use alloc::vec::Vec;

/// Most cohorts that are told apart. Beyond, the two neighbours merge whose spread is smallest for their age, so that cohorts
/// end up spaced exponentially: what fell silent lately is known finely, what did long ago coarsely.
pub const MAX_COHORTS: usize = 64;

/// What a device keeps while nobody listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Time between two readings. 0 counts as a microsecond.
    pub interval_micros: u64,
    /// Most readings that it can hold.
    pub buffer_readings: u64,
}

#[derive(Clone, Debug)]
struct Cohort {
    /// When its first and its last devices fell silent.
    first_micros: u64,
    last_micros: u64,
    devices: f64,
    /// Readings that it gains in a microsecond, and the most that it can hold.
    rate: f64,
    room: f64,
    /// Came back, and was there to come back (devices times steps), both fading.
    returned: f64,
    exposure: f64,
}

impl Cohort {
    fn middle_micros(&self) -> u64 {
        self.first_micros + (self.last_micros - self.first_micros) / 2
    }

    fn owed_at(&self, micros: u64) -> f64 {
        (micros.saturating_sub(self.middle_micros()) as f64 * self.rate).min(self.room)
    }

    /// Takes devices out: how many there were to take.
    fn take(&mut self, wanted: f64) -> f64 {
        let taken = wanted.min(self.devices);
        if taken > 0.0 {
            let left = 1.0 - taken / self.devices;
            self.rate *= left;
            self.room *= left;
            self.devices -= taken;
            self.returned += taken;
        }
        taken
    }
}

/// What one cohort is to a forecast.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Silence {
    pub(crate) devices: f64,
    pub(crate) returned: f64,
    pub(crate) exposure: f64,
    /// Readings that all of them together hold.
    pub(crate) owed: f64,
}

/// All cohorts, in the order in which they fell silent.
#[derive(Clone, Debug)]
pub(crate) struct Cohorts {
    cohort_micros: u64,
    all: Vec<Cohort>,
}

impl Cohorts {
    pub(crate) fn new(cohort_micros: u64) -> Self {
        Self { cohort_micros, all: Vec::with_capacity(MAX_COHORTS + 1) }
    }

    pub(crate) fn devices(&self) -> f64 {
        self.all.iter().map(|cohort| cohort.devices).sum()
    }

    pub(crate) fn at(&self, micros: u64) -> impl Iterator<Item = Silence> + '_ {
        self.all.iter().map(move |cohort| Silence {
            devices: cohort.devices,
            returned: cohort.returned,
            exposure: cohort.exposure,
            owed: cohort.owed_at(micros),
        })
    }

    pub(crate) fn add(&mut self, now: u64, since_micros: u64, devices: u64, holdings: Holdings) {
        if devices == 0 {
            return;
        }
        let slot = since_micros / self.cohort_micros;
        let next = self.all.partition_point(|cohort| cohort.first_micros / self.cohort_micros <= slot);
        let fits = next.checked_sub(1).filter(|&index| {
            let cohort = &self.all[index];
            cohort.last_micros >= since_micros || cohort.last_micros / self.cohort_micros == slot
        });
        let index = fits.unwrap_or_else(|| {
            self.all.insert(
                next,
                Cohort {
                    first_micros: since_micros,
                    last_micros: since_micros,
                    devices: 0.0,
                    rate: 0.0,
                    room: 0.0,
                    returned: 0.0,
                    exposure: 0.0,
                },
            );
            next
        });
        let cohort = &mut self.all[index];
        let count = devices as f64;
        cohort.first_micros = cohort.first_micros.min(since_micros);
        cohort.last_micros = cohort.last_micros.max(since_micros);
        cohort.devices += count;
        cohort.rate += count / holdings.interval_micros.max(1) as f64;
        cohort.room += count * holdings.buffer_readings as f64;
        if self.all.len() > MAX_COHORTS {
            self.merge_closest(now);
        }
    }

    /// Where in the order of silence (0: the first that fell silent, 1: the last) a cohort's devices stand.
    pub(crate) fn rank_of(&self, since_micros: u64) -> f64 {
        let all = self.devices();
        let older = self.all.iter().take_while(|cohort| cohort.last_micros < since_micros);
        let before: f64 = older.map(|cohort| cohort.devices).sum();
        let own = self.all.iter().find(|cohort| cohort.last_micros >= since_micros);
        let half = own.map_or(0.0, |cohort| cohort.devices / 2.0);
        if all > 0.0 { ((before + half) / all).min(1.0) } else { 0.0 }
    }

    /// Takes `devices` that fell silent at about `since_micros` out, from the cohort nearest to that time and then from its
    /// neighbours: how many were known, and how many readings they were thought to hold.
    pub(crate) fn take(&mut self, now: u64, since_micros: u64, devices: u64) -> (f64, f64) {
        let mut newer = self.all.partition_point(|cohort| cohort.first_micros <= since_micros);
        let mut older = newer;
        let (mut wanted, mut owed) = (devices as f64, 0.0);
        while wanted > 0.0 && (older > 0 || newer < self.all.len()) {
            let distance = |cohort: &Cohort| {
                since_micros
                    .saturating_sub(cohort.last_micros)
                    .max(cohort.first_micros.saturating_sub(since_micros))
            };
            let back = older.checked_sub(1).map(|index| distance(&self.all[index]));
            let forth = self.all.get(newer).map(distance);
            let index = if back.is_some_and(|back| forth.is_none_or(|forth| back <= forth)) {
                older -= 1;
                older
            } else {
                newer += 1;
                newer - 1
            };
            let cohort = &mut self.all[index];
            let before = cohort.owed_at(now);
            let all = cohort.devices;
            let taken = cohort.take(wanted);
            if all > 0.0 {
                owed += before * (taken / all);
            }
            wanted -= taken;
        }
        (devices as f64 - wanted, owed)
    }

    /// A step is over: everybody who is still silent was there to come back, and what was learnt fades.
    pub(crate) fn step(&mut self, keep: f64) {
        for cohort in &mut self.all {
            cohort.exposure = cohort.exposure * keep + cohort.devices;
            cohort.returned *= keep;
        }
        // Who is all back, and what it taught has faded, is of no more use.
        self.all.retain(|cohort| cohort.devices >= 0.5 || cohort.returned >= 0.5);
    }

    fn merge_closest(&mut self, now: u64) {
        let strain = |pair: &[Cohort]| {
            let spread = pair[1].last_micros.saturating_sub(pair[0].first_micros);
            spread as f64 / (now.saturating_sub(pair[0].first_micros) as f64 + self.cohort_micros as f64)
        };
        let closest = self
            .all
            .windows(2)
            .enumerate()
            .min_by(|(_, a), (_, b)| strain(a).total_cmp(&strain(b)))
            .map(|(index, _)| index);
        if let Some(index) = closest {
            let newer = self.all.remove(index + 1);
            let older = &mut self.all[index];
            older.last_micros = newer.last_micros.max(older.last_micros);
            older.devices += newer.devices;
            older.rate += newer.rate;
            older.room += newer.room;
            older.returned += newer.returned;
            older.exposure += newer.exposure;
        }
    }
}
