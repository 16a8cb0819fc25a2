//! Netflix concurrency-limits, `Gradient2Limit`.

use super::super::{Decision, Observation};
use super::sample::Sample;
use super::{Law, limited};

const INITIAL: f64 = 20.0;
const LIMIT_MIN: f64 = 20.0;
const LIMIT_MAX: f64 = 200.0;
const QUEUE_FRAMES: f64 = 4.0;
const SMOOTHING: f64 = 0.2;
const GRADIENT_MIN: f64 = 0.5;
/// The long-term round trip: an average over this many samples, the first of them in equal parts.
const LONG_SAMPLES: f64 = 600.0;
const WARM_UP_SAMPLES: u32 = 10;
/// A long-term round trip of more than twice the present one is left over from an overload, and shrinks.
const DRIFT: f64 = 2.0;
const DRIFT_DECAY: f64 = 0.9;

/// The limit follows `long / present`, between a half and 1, and lets 4 frames queue. The published law leaves losses out, and so does this.
#[derive(Clone, Debug)]
pub(super) struct Gradient2 {
    limit: f64,
    long_micros: f64,
    warm_up_micros: f64,
    samples: u32,
}

impl Default for Gradient2 {
    fn default() -> Self {
        Self { limit: INITIAL, long_micros: 0.0, warm_up_micros: 0.0, samples: 0 }
    }
}

impl Gradient2 {
    fn follow(&mut self, micros: f64) {
        if self.samples < WARM_UP_SAMPLES {
            self.samples += 1;
            self.warm_up_micros += micros;
            self.long_micros = self.warm_up_micros / f64::from(self.samples);
        } else {
            let weight = 2.0 / (LONG_SAMPLES + 1.0);
            self.long_micros = self.long_micros * (1.0 - weight) + micros * weight;
        }
    }
}

impl Law for Gradient2 {
    fn on_sample(&mut self, sample: &Sample) {
        let present = sample.rtt_micros.max(1) as f64;
        self.follow(present);
        let long = self.long_micros;
        if long / present > DRIFT {
            self.long_micros *= DRIFT_DECAY;
        }
        if (sample.in_flight as f64) < self.limit / 2.0 {
            return;
        }
        let gradient = (long / present).clamp(GRADIENT_MIN, 1.0);
        let wanted = self.limit * gradient + QUEUE_FRAMES;
        let smoothed = self.limit * (1.0 - SMOOTHING) + wanted * SMOOTHING;
        self.limit = smoothed.clamp(LIMIT_MIN, LIMIT_MAX);
    }

    fn tick(&mut self, _seen: &Observation) -> Decision {
        limited(self.limit as u64)
    }
}
