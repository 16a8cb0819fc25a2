//! Terms: the owners of a shard, one after the other.
//!
//! A term rises whenever a shard is taken by another gateway, or by a process that has forgotten what it had told
//! devices. DATA carries the term of the ADMIT that opened its session, so late copies of what was sent to an earlier owner
//! are refused; and a device believes no ADMIT of an owner older than one it has heard of, so a gateway that does not know
//! yet that it was replaced cannot tell it stale marks.

/// Terms are counted modulo 64: they share a byte with the round.
const TERMS: u8 = 64;

/// Which of a shard's owners: 0 to 63, compared serially. Of two terms, the later one must be fewer than 32 ahead: so many
/// owners must not follow each other within the life of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Term(u8);

impl Term {
    /// The term of a number; what does not fit is cut off.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number % TERMS)
    }

    /// Its number, 0 to 63.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The next owner's.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::new(self.0 + 1)
    }

    /// Whether it is the term of an owner before `other`'s.
    #[must_use]
    pub const fn is_older_than(self, other: Self) -> bool {
        self.0.wrapping_sub(other.0) % TERMS >= TERMS / 2
    }
}

#[cfg(test)]
mod tests {
    use super::Term;

    #[test]
    fn terms_are_compared_across_their_end() {
        let (last, first) = (Term::new(63), Term::new(0));
        assert_eq!(last.next(), first);
        assert!(last.is_older_than(first) && !first.is_older_than(last));
        assert!(!first.is_older_than(first));
        assert!(Term::new(3).is_older_than(Term::new(34)) && !Term::new(3).is_older_than(Term::new(36)));
    }
}
