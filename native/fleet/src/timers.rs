//! Every device's next deadline: a heap with lazy validation.
//!
//! A device has at most one entry that counts, at or before its deadline. A deadline that moves away leaves the entry
//! where it is; when it comes up, it is put back at the deadline of then. Most deadlines are put off by an ACK, so this
//! saves a heap operation for nearly every frame.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

const DEVICE_BITS: u32 = 24;
/// Most devices of one fleet.
pub const DEVICES_MAX: u32 = 1 << DEVICE_BITS;
/// Times from here on fit no entry: 12 days.
pub const TIME_MICROS_MAX: u64 = 1 << (64 - DEVICE_BITS);

const NOT_QUEUED: u64 = u64::MAX;

/// Deadlines of a fleet, up to the end of the run.
#[derive(Debug)]
pub struct Timers {
    /// Time and device in one word.
    heap: BinaryHeap<Reverse<u64>>,
    /// When a device's entry comes up.
    queued: Vec<u64>,
    end: u64,
}

impl Timers {
    /// Bytes per device.
    pub const BYTES_PER_DEVICE: usize = 16;

    /// Timers that fall due before `end`, with the devices' first deadlines.
    pub fn new(deadlines: impl Iterator<Item = u64>, end: u64) -> Self {
        let end = end.min(TIME_MICROS_MAX);
        let queued: Vec<u64> = deadlines.map(|at| if at < end { at } else { NOT_QUEUED }).collect();
        let entries = queued.iter().zip(0..).filter(|(at, _)| **at < end);
        let heap = entries.map(|(at, device)| Reverse(pack(*at, device))).collect::<Vec<_>>().into();
        Self { heap, queued, end }
    }

    /// A device's deadline is now `at`.
    pub fn arm(&mut self, device: u32, at: u64) {
        let queued = &mut self.queued[device as usize];
        if at < self.end && at < *queued {
            *queued = at;
            self.heap.push(Reverse(pack(at, device)));
        }
    }

    /// When the next entry comes up, whether or not it still counts.
    pub fn next(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse(entry)| entry >> DEVICE_BITS)
    }

    /// Takes the next entry: the device whose deadline may have come. `arm` it again afterwards. None for an entry that
    /// an earlier deadline has overtaken.
    pub fn pop(&mut self) -> Option<u32> {
        let Reverse(entry) = self.heap.pop()?;
        let (at, device) = (entry >> DEVICE_BITS, (entry as u32) & (DEVICES_MAX - 1));
        let queued = &mut self.queued[device as usize];
        if *queued != at {
            return None;
        }
        *queued = NOT_QUEUED;
        Some(device)
    }
}

fn pack(at: u64, device: u32) -> u64 {
    at << DEVICE_BITS | u64::from(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_up_in_order_and_overtaken_ones_do_not_count() {
        let mut timers = Timers::new([50, 20, u64::MAX].into_iter(), 100);
        assert_eq!(timers.next(), Some(20));
        // Put off: the entry stays, and its taker looks at the deadline.
        timers.arm(1, 70);
        assert_eq!(timers.pop(), Some(1));
        timers.arm(1, 70);
        timers.arm(2, 10);
        timers.arm(0, 5);
        assert_eq!((timers.next(), timers.pop()), (Some(5), Some(0)));
        timers.arm(0, 60);
        assert_eq!((timers.next(), timers.pop()), (Some(10), Some(2)));
        assert_eq!((timers.next(), timers.pop()), (Some(50), None));
        assert_eq!((timers.next(), timers.pop()), (Some(60), Some(0)));
        timers.arm(0, 100);
        assert_eq!((timers.next(), timers.pop()), (Some(70), Some(1)));
        assert_eq!(timers.next(), None);
    }
}
