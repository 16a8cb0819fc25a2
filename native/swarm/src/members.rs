//! Who is there, as the driver sees it.

use core::net::SocketAddr;

use crate::Load;

/// What this gateway knows of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberState {
    /// Nothing has been heard of it since this process started.
    #[default]
    Unknown,
    /// It lives.
    Alive,
    /// It did not answer; it still has time to.
    Suspect,
    /// It has been given up, or has left.
    Down,
}

impl MemberState {
    /// Whether it is believed to live.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Alive | Self::Suspect)
    }

    /// Its name in metrics and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Down => "down",
        }
    }
}

/// A gateway of the roster, this one among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub gateway: u16,
    /// Where devices send their frames.
    pub data: SocketAddr,
    /// Where it takes gossip.
    pub gossip: SocketAddr,
    /// Its last known process; 0 before the first.
    pub incarnation: u64,
    /// What is known of it.
    pub state: MemberState,
    /// Whether it may be given work: it lives, and is not kept out for flapping.
    pub usable: bool,
    /// Its load as it told last, unless that is too old.
    pub load: Option<Load>,
}

/// A change of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it was noticed.
    pub at: u64,
    /// Whose.
    pub gateway: u16,
    /// Of which process.
    pub incarnation: u64,
    /// What.
    pub change: Change,
}

/// What becomes of members. `Up` and `Down` alternate, for each member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It may be given work. A process that has started again is `Down` first.
    Up,
    /// It did not answer.
    Suspect,
    /// It spoke up, and is suspected no more.
    Cleared,
    /// It has been given up.
    Down,
    /// It lives again, but is kept out for a while, for flapping.
    Held,
    /// This gateway itself: the others had given it up, and it came back under a new incarnation. What it owned may have
    /// another owner.
    Expelled,
}
