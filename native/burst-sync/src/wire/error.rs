//! Why bytes are not a frame.

use core::fmt;

/// What is wrong with a frame, in the order of the checks: the first that fails is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WireError {
    /// Shorter than a header and a MAC.
    Truncated,
    /// Not version 1.
    Version,
    /// No such type.
    Type,
    /// The length is not the datagram's, or not one that the type can have.
    Length,
    /// A field holds what it can not: an unknown flag, a reserved byte that is not 0, a lane that does not exist.
    Field,
    /// Signed under a master key that is neither the present nor the previous one.
    KeyEpoch,
    /// The MAC is not the device's.
    Mac,
}

impl WireError {
    /// Every error, in the order of the checks.
    pub const ALL: [Self; 7] =
        [Self::Truncated, Self::Version, Self::Type, Self::Length, Self::Field, Self::KeyEpoch, Self::Mac];

    /// Its name in counters and test vectors.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Version => "version",
            Self::Type => "type",
            Self::Length => "length",
            Self::Field => "field",
            Self::KeyEpoch => "key-epoch",
            Self::Mac => "mac",
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a frame: {}", self.name())
    }
}

impl core::error::Error for WireError {}
