//! What devices and gateways say to each other. `wire` puts it into bytes.

use crate::{Term, TermEcho};

/// A reading's place in its device's life: the index of its sampling instant, the same in both lanes.
pub type Mark = u32;

/// The two streams of a device, each with its own marks and its own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Lane {
    /// Readings taken while a session was up.
    Live = 0,
    /// Readings taken while there was none.
    Backfill = 1,
}

/// Proof that a session slot was promised to a device; opaque to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cookie {
    /// The promised slot, in ticks of the gateway's dam.
    pub slot: u32,
    /// Keyed hash over device, slot and key epoch.
    pub mac: u64,
}

/// Asks for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Number of this attempt, echoed by every answer; stale answers are told by it.
    pub session: u16,
    /// Rises if and only if the device lost its ring.
    pub epoch: u16,
    /// Readings owed on the backfill lane.
    pub backlog: u16,
    /// The cookie of an earlier DEFER.
    pub cookie: Option<Cookie>,
    /// Everything below was acknowledged, (live, backfill): for a gateway that keeps no marks.
    pub acked: (Mark, Mark),
    /// Which gateway is asked, as [`crate::wire::gateway_number`] of the address that the device knows it by: what is meant for
    /// one gateway is no use at another. 0 until it is known where the frame goes.
    pub gateway: u32,
}

/// Opens a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admit {
    /// Echo of the HELLO.
    pub session: u16,
    /// Everything below is durable on the live lane; `None` where the gateway keeps no marks.
    pub marks: Option<(Mark, Mark)>,
    /// When the backfill may begin, from the receipt of this frame.
    pub backfill_delay_millis: u32,
    /// Readings that may be sent on the backfill lane.
    pub credit: u16,
    /// The shard's term: which of its owners, one after the other, this is. DATA echoes it.
    pub term: Term,
}

/// Come back at a promised time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defer {
    /// Echo of the HELLO.
    pub session: u16,
    /// From the receipt of this frame.
    pub delay_millis: u32,
    /// To be shown on return.
    pub cookie: Cookie,
}

/// A run of readings: `first, first + stride, …`, `count` of them. Indexes from `prev` up to the run that it does
/// not name hold no reading of this lane (another lane's, never taken, or lost and said so by `gap`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// The session that carries it.
    pub session: u16,
    /// Its lane.
    pub lane: Lane,
    /// End of the run sent before it on this lane: the receiver's mark must have reached it.
    pub prev: Mark,
    /// First reading.
    pub first: Mark,
    /// 0 in a keep-alive.
    pub count: u16,
    /// Distance between readings, above 1 after decimation.
    pub stride: u16,
    /// When the first reading was to be sent, in the sender's milliseconds.
    pub due_millis: u32,
    /// Readings between `prev` and `first` were lost to overflow.
    pub gap: bool,
    /// Round of the sender, 0 to 3: how often it has been called in this session, modulo 4.
    pub round: u8,
    /// Echo of the ADMIT: what was sent to an earlier owner of the shard is worth nothing to the present one.
    pub term: TermEcho,
}

impl Data {
    /// One past the last reading.
    #[must_use]
    pub const fn end(&self) -> Mark {
        match self.count {
            0 => self.prev,
            n => {
                let stride = if self.stride == 0 { 1 } else { self.stride as u32 };
                self.first.saturating_add((n as u32 - 1).saturating_mul(stride)).saturating_add(1)
            }
        }
    }
}

/// Why DATA was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NackReason {
    /// Something before it is missing: resume from the mark.
    Gap = 0,
    /// The gateway does not know the session: say HELLO again.
    NoSession = 1,
    /// Not now: resume from the mark after the delay.
    Later = 2,
}

/// Turns DATA away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nack {
    /// Echo of the DATA.
    pub session: u16,
    /// Lane it speaks of.
    pub lane: Lane,
    /// Resume here.
    pub mark: Mark,
    /// Wait this long first, for `Later`; 0 calls a waiting device.
    pub delay_millis: u32,
    /// For `Later`: echo of the DATA's round, or the next round in a call. A refusal of an earlier round than the last
    /// call arrived late and is void.
    pub round: u8,
    /// Why.
    pub reason: NackReason,
}

/// Every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Device to gateway: asks for a session.
    Hello(Hello),
    /// Gateway to device: opens a session.
    Admit(Admit),
    /// Gateway to device: come back later.
    Defer(Defer),
    /// Gateway to device: another gateway is to be asked, and not before the delay.
    Redirect {
        /// Echo of the HELLO.
        session: u16,
        /// From the receipt of this frame.
        delay_millis: u32,
        /// The other gateway: IPv6, or IPv4 mapped into it.
        address: [u8; 16],
        /// Its UDP port.
        port: u16,
    },
    /// Device to gateway: readings.
    Data(Data),
    /// Gateway to device: everything below `mark` is durable on `lane`.
    Ack {
        /// Echo of the DATA.
        session: u16,
        /// Lane.
        lane: Lane,
        /// Cumulative.
        mark: Mark,
    },
    /// Gateway to device: turned away.
    Nack(Nack),
    /// Gateway to device: the session is over.
    Bye {
        /// The session that ends.
        session: u16,
    },
}
