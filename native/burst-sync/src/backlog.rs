//! What waits in a device's ring for the backfill lane: a few runs of reading indexes, in order.

use crate::Overflow;

/// Runs kept per device. More would be rare (each is an outage that began before the one before it had drained) and
/// cost memory in every device; see `Backlog::is_full`.
const RANGES_MAX: usize = 3;
const TO_BITS: u32 = 27;
const OPEN: u32 = (1 << TO_BITS) - 1;
/// Largest reading index: 134 million readings, four years at one a second.
pub const READING_INDEX_MAX: u32 = OPEN - 1;

/// A run of readings `first, first + stride, …`, `count` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// First reading.
    pub first: u32,
    /// How many.
    pub count: u32,
    /// Distance, a power of two.
    pub stride: u32,
}

impl Range {
    /// The last reading; the first one of a run of none.
    #[must_use]
    pub const fn last(&self) -> u32 {
        self.first.saturating_add(self.count.saturating_sub(1).saturating_mul(self.stride))
    }

    /// Whether a reading is one of the run's.
    #[must_use]
    pub const fn contains(&self, index: u32) -> bool {
        index >= self.first && index <= self.last() && (index - self.first).is_multiple_of(self.stride)
    }
}

/// `from` up to `to`, every `1 << shift`; `to` and `shift` share a word. Empty where `from >= to`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Packed {
    from: u32,
    to_and_shift: u32,
}

impl Packed {
    fn new(from: u32, to: u32, shift: u32) -> Self {
        Self { from, to_and_shift: to.min(OPEN) | (shift << TO_BITS) }
    }

    fn to(self) -> u32 {
        self.to_and_shift & OPEN
    }

    fn shift(self) -> u32 {
        self.to_and_shift >> TO_BITS
    }

    fn is_open(self) -> bool {
        self.to() == OPEN
    }

    fn end(self, taken: u32) -> u32 {
        if self.is_open() { taken } else { self.to() }
    }

    fn count(self, taken: u32) -> u32 {
        self.end(taken).saturating_sub(self.from).div_ceil(1 << self.shift())
    }

    /// First element at or after `position`.
    fn at_or_after(self, position: u32) -> u32 {
        if position <= self.from {
            return self.from;
        }
        let stride = 1u32 << self.shift();
        self.from.saturating_add((position - self.from).div_ceil(stride).saturating_mul(stride))
    }
}

/// The backfill lane's content. 24 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    ranges: [Packed; RANGES_MAX],
}

impl Backlog {
    /// Holds nothing, not even an open run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges[0].from >= self.ranges[0].to()
    }

    /// Number of runs held, an open one included.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.ranges.iter().filter(|r| r.from < r.to()).count()
    }

    /// No further run fits. A session that starts now must go on with the open run instead of opening the live lane.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.runs() == RANGES_MAX
    }

    /// The last run still grows with every reading taken.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.ranges.iter().any(|r| r.from < r.to() && r.is_open())
    }

    /// Starts a run at `from` that grows until closed. Where no run fits, the smallest is given up: returns how many
    /// readings that lost.
    pub fn open(&mut self, from: u32, taken: u32) -> u32 {
        let mut lost = 0;
        if self.is_full()
            && let Some(smallest) = self.ranges.iter_mut().min_by_key(|r| r.count(taken))
        {
            lost = smallest.count(taken);
            *smallest = Packed::default();
            self.compact();
        }
        let slot = self.runs();
        self.ranges[slot] = Packed::new(from, OPEN, 0);
        lost
    }

    /// Lets the last run grow again where it ends at `from`: false where it does not.
    pub fn reopen(&mut self, from: u32) -> bool {
        let last = self.ranges.iter_mut().rev().find(|r| r.from < r.to());
        last.filter(|r| r.to() == from && r.shift() == 0).map(|r| *r = Packed::new(r.from, OPEN, 0)).is_some()
    }

    /// Joins runs with nothing between them. Not before it is settled which of their readings the live lane stored:
    /// `trim` tells runs by where they begin.
    pub fn merge(&mut self) {
        for n in (1..RANGES_MAX).rev() {
            let (before, after) = (self.ranges[n - 1], self.ranges[n]);
            let touch = before.to() == after.from && before.from < before.to() && after.from < after.to();
            if touch && before.shift() == 0 && after.shift() == 0 {
                self.ranges[n - 1] = Packed::new(before.from, after.to(), 0);
                self.ranges[n] = Packed::default();
                self.compact();
            }
        }
    }

    /// Ends the open run before `taken`; an empty one disappears.
    pub fn close(&mut self, taken: u32) {
        for range in &mut self.ranges {
            if range.from < range.to() && range.is_open() {
                *range = Packed::new(range.from, taken, range.shift());
            }
        }
        self.compact();
    }

    /// Forgets everything, as a volatile ring does without power: returns how many readings that lost.
    pub fn clear(&mut self, taken: u32) -> u32 {
        let lost = self.count(taken);
        self.ranges = [Packed::default(); RANGES_MAX];
        lost
    }

    /// Readings held when `taken` readings have been taken.
    #[must_use]
    pub fn count(&self, taken: u32) -> u32 {
        self.ranges.iter().map(|r| r.count(taken)).sum()
    }

    /// Readings held at or after `from` and before `to`.
    #[must_use]
    pub fn count_between(&self, from: u32, to: u32) -> u32 {
        let clipped = |mark: u32| -> u32 {
            self.ranges
                .iter()
                .map(|r| Packed::new(r.from, r.end(mark).min(mark), r.shift()).count(mark))
                .sum()
        };
        clipped(to).saturating_sub(clipped(from))
    }

    /// The next run at or after `position`, at most `max` readings of it.
    #[must_use]
    pub fn next(&self, position: u32, taken: u32, max: u32) -> Option<Range> {
        self.ranges.iter().find_map(|r| {
            let first = r.at_or_after(position);
            let left = Packed::new(first, r.end(taken), r.shift()).count(taken);
            (r.from < r.to() && left > 0).then(|| Range {
                first,
                count: left.min(max),
                stride: 1 << r.shift(),
            })
        })
    }

    /// Drops what is below `mark` from the runs that begin at or after `from`.
    pub fn trim(&mut self, from: u32, mark: u32) {
        for range in &mut self.ranges {
            if range.from >= from && range.from < mark && range.from < range.to() {
                let first = range.at_or_after(mark);
                *range = Packed { from: first, to_and_shift: range.to_and_shift };
            }
        }
        self.compact();
    }

    /// Makes the closed runs fit `capacity` readings: returns how many that lost.
    pub fn fit(&mut self, capacity: u32, overflow: Overflow, taken: u32) -> u32 {
        let before = self.count(taken);
        if before <= capacity {
            return 0;
        }
        match overflow {
            Overflow::DropOldest => self.drop_oldest(before - capacity, taken),
            Overflow::DropNewest => self.drop_newest(before - capacity),
            Overflow::Decimate => {
                self.decimate(capacity, taken);
                self.drop_oldest(self.count(taken).saturating_sub(capacity), taken);
            }
        }
        self.compact();
        before.saturating_sub(self.count(taken))
    }

    fn drop_oldest(&mut self, mut excess: u32, taken: u32) {
        for range in &mut self.ranges {
            let gone = excess.min(range.count(taken));
            range.from += gone << range.shift();
            excess -= gone;
        }
    }

    fn drop_newest(&mut self, mut excess: u32) {
        for range in self.ranges.iter_mut().rev().filter(|r| !r.is_open()) {
            let count = range.count(0);
            let kept = count - excess.min(count);
            excess -= count - kept;
            *range = Packed::new(range.from, range.from + (kept << range.shift()), range.shift());
        }
    }

    fn decimate(&mut self, capacity: u32, taken: u32) {
        // A stride must fit its 16 bits in DATA.
        const SHIFT_MAX: u32 = 15;
        while self.count(taken) > capacity {
            let Some(finest) =
                self.ranges.iter_mut().filter(|r| r.count(taken) > 1).max_by_key(|r| r.count(taken))
            else {
                return;
            };
            if finest.shift() == SHIFT_MAX {
                return;
            }
            *finest = Packed::new(finest.from, finest.to(), finest.shift() + 1);
        }
    }

    fn compact(&mut self) {
        let mut kept = [Packed::default(); RANGES_MAX];
        let mut n = 0;
        for range in self.ranges {
            if range.from < range.to() {
                kept[n] = range;
                n += 1;
            }
        }
        self.ranges = kept;
    }
}
