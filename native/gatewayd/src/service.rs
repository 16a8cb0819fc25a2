//! What frames cost this process in CPU time, for the simulator's CPU model.
//!
//! Model: a stretch of work costs `hellos * helloNanos + frames * dataNanos + readings * readingNanos`. Everything that
//! those frames cause is in it: receiving, opening, the dam, the gateway, the sink, and sending the answers. One stretch
//! in [`STRETCHES_PER_SAMPLE`] is timed by the thread's CPU clock (reading it costs a system call), and the three
//! figures are the least-squares fit over all samples since the start, with none below zero.

/// Frames in a stretch, about: long enough to hold the acknowledgements of what came in it.
const STRETCH_FRAMES: u64 = 512;
/// One stretch in so many is timed.
const STRETCHES_PER_SAMPLE: u64 = 8;
/// Below so many samples there is no fit worth telling.
const SAMPLES_MIN: u64 = 8;
/// Hellos, DATA frames, readings.
const COSTS: usize = 3;

/// What a stretch consisted of: hellos, DATA frames, readings.
pub type Work = [u64; COSTS];

/// The fit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ServiceTimes {
    pub hello_nanos: f64,
    pub data_nanos: f64,
    pub reading_nanos: f64,
    /// Stretches measured.
    pub samples: u64,
}

/// Collects stretches.
#[derive(Debug, Default)]
pub struct ServiceMeter {
    stretches: u64,
    work: Work,
    cpu_nanos: u64,
    samples: u64,
    /// Normal equations: sums of products of the work with itself, and with the CPU time.
    squares: [[f64; COSTS]; COSTS],
    products: [f64; COSTS],
}

impl ServiceMeter {
    /// Whether the present stretch is to be timed: if so, [`ServiceMeter::add`] wants CPU times.
    pub fn is_timing(&self) -> bool {
        self.stretches.is_multiple_of(STRETCHES_PER_SAMPLE)
    }

    /// A piece of work is done; `cpu_nanos` is 0 in a stretch that is not timed.
    pub fn add(&mut self, work: Work, cpu_nanos: u64) {
        for (sum, part) in self.work.iter_mut().zip(work) {
            *sum += part;
        }
        self.cpu_nanos += cpu_nanos;
        let [hellos, frames, _] = self.work;
        if hellos + frames < STRETCH_FRAMES {
            return;
        }
        if self.is_timing() && self.cpu_nanos > 0 {
            self.sample();
        }
        self.stretches += 1;
        self.work = [0; COSTS];
        self.cpu_nanos = 0;
    }

    fn sample(&mut self) {
        self.samples += 1;
        let work = self.work.map(|part| part as f64);
        for (row, a) in work.iter().enumerate() {
            self.products[row] += a * self.cpu_nanos as f64;
            for (cell, b) in self.squares[row].iter_mut().zip(work) {
                *cell += a * b;
            }
        }
    }

    /// The best fit so far. Where frames all carry as many readings, their cost cannot be told apart: then it is all in
    /// `data_nanos`. `None` before there are enough samples.
    pub fn fit(&self) -> Option<ServiceTimes> {
        if self.samples < SAMPLES_MIN {
            return None;
        }
        const SEVERAL: [[bool; COSTS]; 4] =
            [[true, true, true], [false, true, true], [true, true, false], [true, false, true]];
        const SINGLE: [[bool; COSTS]; 2] = [[false, true, false], [true, false, false]];
        // Where one cost must do for all, it is that of the kind that there was more of.
        let mostly_hellos = self.squares[0][0] > self.squares[1][1];
        let single = if mostly_hellos { [SINGLE[1], SINGLE[0]] } else { SINGLE };
        let fits = SEVERAL.iter().chain(&single).find_map(|used| self.solve(used));
        let [hello_nanos, data_nanos, reading_nanos] = fits?;
        Some(ServiceTimes { hello_nanos, data_nanos, reading_nanos, samples: self.samples })
    }

    /// The normal equations over the costs in use, by Gaussian elimination without pivoting: the matrix is positive
    /// definite, or there is no answer. `None` if a cost is below zero or hardly determined.
    fn solve(&self, used: &[bool; COSTS]) -> Option<[f64; COSTS]> {
        let (mut left, mut right) = (self.squares, self.products);
        for n in 0..COSTS {
            if !used[n] {
                left[n] = std::array::from_fn(|column| if column == n { 1.0 } else { 0.0 });
                right[n] = 0.0;
                for (_, values) in left.iter_mut().enumerate().filter(|(row, _)| *row != n) {
                    values[n] = 0.0;
                }
            }
        }
        let scale = left;
        for pivot in 0..COSTS {
            // What is left of a column after those before it: next to nothing if they explain it.
            if left[pivot][pivot] <= scale[pivot][pivot] * 1e-6 {
                return None;
            }
            let by = left[pivot];
            for row in pivot + 1..COSTS {
                let factor = left[row][pivot] / by[pivot];
                for (value, of_pivot) in left[row].iter_mut().zip(by).skip(pivot) {
                    *value -= factor * of_pivot;
                }
                right[row] -= factor * right[pivot];
            }
        }
        let mut costs = [0.0; COSTS];
        for row in (0..COSTS).rev() {
            let known: f64 = (row + 1..COSTS).map(|column| left[row][column] * costs[column]).sum();
            costs[row] = (right[row] - known) / left[row][row];
        }
        costs.iter().all(|cost| cost.is_finite() && *cost >= 0.0).then_some(costs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole stretches, timed or not as the meter likes.
    fn feed(meter: &mut ServiceMeter, stretches: u64, stretch: impl Fn(u64) -> (Work, u64)) {
        for n in 0..stretches {
            let (work, cpu_nanos) = stretch(n);
            let timing = meter.is_timing();
            meter.add(work, if timing { cpu_nanos } else { 0 });
        }
    }

    #[test]
    fn costs_come_out_as_they_went_in() {
        let mut meter = ServiceMeter::default();
        feed(&mut meter, 800, |n| {
            let work = [n * 7 % 300, 600 + n * 13 % 500, 900 + n * 29 % 7_000];
            (work, work[0] * 700 + work[1] * 1_500 + work[2] * 20)
        });
        let fit = meter.fit().expect("enough samples");
        assert!((fit.hello_nanos - 700.0).abs() < 1.0, "{fit:?}");
        assert!((fit.data_nanos - 1_500.0).abs() < 1.0, "{fit:?}");
        assert!((fit.reading_nanos - 20.0).abs() < 1.0, "{fit:?}");
        assert_eq!(fit.samples, 100);
    }

    #[test]
    fn frames_of_one_size_cost_what_they_cost_together() {
        let mut meter = ServiceMeter::default();
        feed(&mut meter, 800, |n| {
            let frames = 600 + n % 400;
            ([0, frames, frames * 4], frames * 2_000)
        });
        let fit = meter.fit().expect("enough samples");
        assert!((fit.data_nanos - 2_000.0).abs() < 1.0 && fit.reading_nanos == 0.0, "{fit:?}");
    }

    #[test]
    fn sessions_with_a_stray_frame_cost_what_sessions_do() {
        let mut meter = ServiceMeter::default();
        // More of these frames make it cheaper: no fit of both would be at or above zero.
        feed(&mut meter, 800, |n| ([600, n % 2, n % 2], 600 * 900 - n % 2 * 40_000));
        let fit = meter.fit().expect("enough samples");
        assert!((fit.hello_nanos - 867.0).abs() < 50.0, "{fit:?}");
        assert_eq!((fit.data_nanos, fit.reading_nanos), (0.0, 0.0), "{fit:?}");
    }

    #[test]
    fn few_samples_tell_nothing() {
        let mut meter = ServiceMeter::default();
        feed(&mut meter, STRETCHES_PER_SAMPLE * (SAMPLES_MIN - 1), |_| ([512, 0, 0], 1));
        assert_eq!(meter.fit(), None);
    }
}
