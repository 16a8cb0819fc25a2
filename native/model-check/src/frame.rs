//! What is on its way between devices and gateways.

use crate::code::code;
use klais_burst_sync::{Data, Lane, TermEcho};
use std::hash::{Hash, Hasher};

/// The live lane.
pub const LIVE: u8 = 0;
/// The backfill lane.
pub const BACKFILL: u8 = 1;

/// A frame, with the fields that decide anything. NACK `no-session`, BYE and REDIRECT are left out: all that they do is end
/// a session or make a device ask again, which it may do at any time anyway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Frame {
    /// Asks a gateway for a session.
    Hello {
        /// Who asks.
        device: u8,
        /// Who is asked.
        gateway: u8,
        /// Number of the attempt.
        session: u8,
        /// Of the ring.
        epoch: u8,
    },
    /// Opens a session.
    Admit {
        /// Whose.
        device: u8,
        /// Echo of the HELLO.
        session: u8,
        /// The gateway's.
        term: u8,
        /// Live and backfill.
        marks: [u8; 2],
    },
    /// A run of readings.
    Data {
        /// Whose.
        device: u8,
        /// To whom.
        gateway: u8,
        /// That carries it.
        session: u8,
        /// That admitted the session.
        term: u8,
        /// Its lane.
        lane: u8,
        /// End of the run before it.
        prev: u8,
        /// First index.
        first: u8,
        /// How many.
        count: u8,
        /// Which of all readings has index 0: what a reading's content says of itself.
        base: u8,
    },
    /// Everything below the mark is durable.
    Ack {
        /// Whose.
        device: u8,
        /// Echo of the DATA.
        session: u8,
        /// Its lane.
        lane: u8,
        /// Cumulative.
        mark: u8,
    },
    /// NACK `gap`: something is missing, go on from the mark.
    Gap {
        /// Whose.
        device: u8,
        /// Echo of the DATA.
        session: u8,
        /// Its lane.
        lane: u8,
        /// Resume here.
        mark: u8,
    },
}

impl Frame {
    /// The device that sends or is to get it.
    #[must_use]
    pub fn device(&self) -> u8 {
        match *self {
            Self::Hello { device, .. }
            | Self::Admit { device, .. }
            | Self::Data { device, .. }
            | Self::Ack { device, .. }
            | Self::Gap { device, .. } => device,
        }
    }

    fn code(&self) -> u64 {
        match *self {
            Self::Hello { device, gateway, session, epoch } => {
                code([(3, 0), (1, device), (1, gateway), (8, session), (4, epoch)])
            }
            Self::Admit { device, session, term, marks } => {
                code([(3, 1), (1, device), (8, session), (8, term), (4, marks[0]), (4, marks[1])])
            }
            Self::Data { device, gateway, session, term, lane, prev, first, count, base } => {
                let run = code([(4, prev), (4, first), (4, count), (4, base)]);
                code([(3, 2), (1, device), (1, gateway), (8, session), (8, term), (1, lane)]) << 16 | run
            }
            Self::Ack { device, session, lane, mark } => {
                code([(3, 3), (1, device), (8, session), (1, lane), (4, mark)])
            }
            Self::Gap { device, session, lane, mark } => {
                code([(3, 4), (1, device), (8, session), (1, lane), (4, mark)])
            }
        }
    }
}

impl Hash for Frame {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.code());
    }
}

/// DATA as the intake takes it.
pub(crate) fn real_data(session: u8, lane: u8, prev: u8, first: u8, count: u8) -> Data {
    Data {
        session: u16::from(session),
        lane: if lane == LIVE { Lane::Live } else { Lane::Backfill },
        prev: u32::from(prev),
        first: u32::from(first),
        count: u16::from(count),
        stride: 1,
        due_millis: 0,
        gap: false,
        round: 0,
        term: TermEcho::default(),
    }
}
