//! Time: the machine's monotonic clock, and the virtual time that gateway, kernel and fleet share.

use klais_units::{NANOS_PER_MICRO, NANOS_PER_SECOND};
use nix::time::{ClockId, clock_gettime};

/// Maps CLOCK_MONOTONIC to virtual time, as the BPF program does: (monotonic - origin) * scale, held at both ends.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin_nanos: u64,
    scale: u64,
}

impl Clock {
    /// Virtual time 0 is at `origin_nanos` of CLOCK_MONOTONIC, and passes `scale` times as fast as it.
    pub fn new(origin_nanos: u64, scale: u32) -> Self {
        Self { origin_nanos, scale: u64::from(scale.max(1)) }
    }

    /// Virtual microseconds at a monotonic time.
    pub fn micros(&self, monotonic_nanos: u64) -> u64 {
        monotonic_nanos.saturating_sub(self.origin_nanos).saturating_mul(self.scale) / NANOS_PER_MICRO
    }

    /// The first monotonic nanosecond at which it is `micros` of virtual time.
    pub fn monotonic(&self, micros: u64) -> u64 {
        let elapsed = micros.saturating_mul(NANOS_PER_MICRO).div_ceil(self.scale);
        self.origin_nanos.saturating_add(elapsed)
    }

    /// CLOCK_MONOTONIC at virtual time 0.
    pub fn origin_nanos(&self) -> u64 {
        self.origin_nanos
    }

    /// Virtual seconds per second.
    pub fn scale(&self) -> u64 {
        self.scale
    }
}

/// CLOCK_MONOTONIC in nanoseconds.
pub fn monotonic_nanos() -> u64 {
    nanos(ClockId::CLOCK_MONOTONIC)
}

/// CLOCK_REALTIME in nanoseconds: what the kernel stamps datagrams with. May jump.
pub fn realtime_nanos() -> u64 {
    nanos(ClockId::CLOCK_REALTIME)
}

/// CPU time of the calling thread in nanoseconds.
pub fn thread_cpu_nanos() -> u64 {
    nanos(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// Linux has all three clocks; were one refused, its time would stand still, which the callers survive.
fn nanos(clock: ClockId) -> u64 {
    clock_gettime(clock).map_or(0, |time| {
        let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
        seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(u64::try_from(time.tv_nsec()).unwrap_or(0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn virtual_time_is_held_before_its_origin_and_at_the_end_of_the_range() {
        let clock = Clock::new(5_000_000, 4);
        assert_eq!(clock.micros(0), 0);
        assert_eq!(clock.micros(5_000_000), 0);
        assert_eq!(clock.micros(6_000_000), 4_000);
        assert_eq!(clock.micros(u64::MAX), u64::MAX / NANOS_PER_MICRO);
    }

    #[test]
    fn a_deadline_is_never_early_and_less_than_a_tick_late() {
        for scale in [1, 3, 7, 1_000] {
            let clock = Clock::new(17, scale);
            for micros in [0, 1, 2, 999, 1_000_003] {
                let at = clock.monotonic(micros);
                assert!(clock.micros(at) >= micros, "scale {scale}, {micros} us");
                assert!(at == 17 || clock.micros(at - 1) < micros, "scale {scale}, {micros} us");
            }
        }
    }
}
