//! Terms: the owners of a shard, one after the other.
//!
//! A term rises whenever a shard is taken by another gateway, or by a process that has forgotten what it had told
//! devices. DATA echoes the term of the ADMIT that opened its session, so late copies of what was sent to an earlier owner
//! are refused; and a device believes no ADMIT of an owner older than one it has heard of, so a gateway that does not know
//! yet that it was replaced cannot tell it stale marks.

/// How many terms an echo tells apart: it shares a byte with the round.
const ECHOES: u32 = 64;

/// Which of a shard's owners, in their order. 0: none was heard of yet, or that of a fleet that began in steady state;
/// owners claim from 1 on. It never wraps: four billion owners do not come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(u32);

impl Term {
    /// The first that is claimed.
    pub const FIRST: Self = Self(1);

    /// The term of a number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The next owner's.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// What DATA says of it.
    #[must_use]
    pub const fn echo(self) -> TermEcho {
        TermEcho((self.0 % ECHOES) as u8)
    }
}

/// A term modulo 64, 0 to 63. Two owners of one echo have 63 others between them, within the life of a frame: that must not
/// happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TermEcho(u8);

impl TermEcho {
    /// The echo of a number; what does not fit is cut off.
    #[must_use]
    pub const fn new(number: u8) -> Self {
        Self(number % ECHOES as u8)
    }

    /// Its number, 0 to 63.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_rise_and_echoes_go_round() {
        let last = Term::new(63);
        assert!(last < last.next() && Term::default() < Term::FIRST);
        assert_eq!((last.echo().number(), last.next().echo().number()), (63, 0));
        assert_eq!(Term::new(u32::MAX).next(), Term::new(u32::MAX));
        assert_eq!(TermEcho::new(64), TermEcho::default());
    }
}
