//! The gateway's half of a lane: what to do with a run of readings, given the mark.
//!
//! Rule 3 of the protocol: below the mark, acknowledge only; above it, a gap: resume from the mark; else append the tail.

use crate::{Data, Mark};

/// What a gateway does with DATA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Append these readings (the part at or above the mark), then move the mark to `end`.
    Append {
        /// First reading to append.
        first: Mark,
        /// How many.
        count: u16,
        /// The new mark.
        end: Mark,
    },
    /// All of it is below the mark already.
    Known,
    /// Something before it is missing.
    Gap,
}

/// Reads a lane's mark.
#[derive(Clone, Copy, Debug)]
pub struct Intake {
    /// Everything below is accepted.
    pub mark: Mark,
    /// False: what was sent before is appended again, as a plain proxy does; the mark then only keeps the order, as
    /// TCP would.
    pub deduplicate: bool,
}

impl Intake {
    /// Decides. The mark is the caller's to move.
    #[must_use]
    pub fn offer(&self, data: &Data) -> Offer {
        let end = data.end();
        if data.prev > self.mark {
            return Offer::Gap;
        }
        if !self.deduplicate && data.count > 0 {
            return Offer::Append { first: data.first, count: data.count, end: end.max(self.mark) };
        }
        if end <= self.mark {
            return Offer::Known;
        }
        let stride = u32::from(data.stride.max(1));
        let skipped = self.mark.saturating_sub(data.first).div_ceil(stride).min(u32::from(data.count));
        let count = data.count - skipped as u16;
        Offer::Append { first: data.first.saturating_add(skipped.saturating_mul(stride)), count, end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lane, TermEcho};

    fn data(prev: u32, first: u32, count: u16, stride: u16) -> Data {
        let (session, lane, due_millis, gap, round) = (1, Lane::Live, 0, false, 0);
        Data { session, lane, prev, first, count, stride, due_millis, gap, round, term: TermEcho::default() }
    }

    #[test]
    fn appends_only_what_is_new() {
        let at = |mark| Intake { mark, deduplicate: true };
        assert_eq!(at(10).offer(&data(10, 10, 4, 1)), Offer::Append { first: 10, count: 4, end: 14 });
        assert_eq!(at(12).offer(&data(10, 10, 4, 1)), Offer::Append { first: 12, count: 2, end: 14 });
        assert_eq!(at(14).offer(&data(10, 10, 4, 1)), Offer::Known);
        assert_eq!(at(9).offer(&data(10, 10, 4, 1)), Offer::Gap);
        assert_eq!(at(10).offer(&data(10, 50, 4, 1)), Offer::Append { first: 50, count: 4, end: 54 });
        assert_eq!(at(3).offer(&data(0, 0, 3, 4)), Offer::Append { first: 4, count: 2, end: 9 });
    }

    #[test]
    fn without_marks_everything_is_appended_again() {
        let proxy = Intake { mark: 14, deduplicate: false };
        assert_eq!(proxy.offer(&data(10, 10, 4, 1)), Offer::Append { first: 10, count: 4, end: 14 });
    }
}
