//! How large the world is, how it begins, and which rule of the protocol does not hold in it.

/// Places for devices in a world.
pub const DEVICES: usize = 2;
/// Gateways in a world.
pub const GATEWAYS: usize = 2;
/// Most readings that a device can take: one bit each.
pub const READINGS_MAX: u8 = 8;

/// What a loss of power does to the readings that a device holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Nothing.
    Flash,
    /// They are lost, and the device says so by a new epoch.
    Volatile {
        /// The device counts its readings from 0 again, as one without a clock must.
        index_restarts: bool,
    },
}

/// How the world begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nobody owns the shard, the log is empty, no device has had a session.
    Fresh,
    /// Gateway 0 serves in term 0 and the devices have sessions; the log knows no more of it than the term.
    Steady,
    /// A device's run table is nearly full: readings 0 and 2 wait in runs of their own, 1 and 3 are stored.
    Worn,
}

/// The rules of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// ACK is sent after the commit.
    AckAfterCommit,
    /// A new owner fences the old one, and reads the checkpoints after that.
    FenceBeforeRestore,
    /// Readings and marks are in one transaction.
    OneTransaction,
    /// After an error a gateway fences its own producer before it goes on.
    FenceAfterError,
    /// Re-opened under its own term, a gateway takes from the marks whether its last batch is in the log.
    BatchJudgedByMarks,
    /// Re-opened under another's term, a gateway forgets what it was.
    ForgetsUnderOtherTerm,
    /// A new owner commits its term before it serves.
    ClaimBeforeServing,
    /// A term is a gateway's own once its claim is confirmed; after any other outcome it claims a new one.
    OwnTermIsConfirmed,
    /// What a steady state begins with counts as claimed: nobody claims the same term once more.
    FirstClaimIsNew,
    /// DATA names the term that admitted its session, and no other owner takes it.
    DataNamesTerm,
    /// A device ignores ADMIT of an owner older than one that it has heard of.
    OldAdmitsIgnored,
    /// Terms are compared in more bits than a device can miss.
    TermsAreWide,
    /// An owner that opens a session makes sure now and then that it still is one.
    OwnerProvesItself,
    /// HELLO waits while readings of the device are undecided.
    HelloWaits,
    /// Checkpoints carry the session number, and HELLOs older than it are refused.
    SessionIsStored,
    /// Marks of an epoch that the device has left are not restored.
    RestoreByEpoch,
    /// A device that lost its ring raises its epoch.
    EpochRisesWithLoss,
    /// A device whose ring survived keeps its epoch.
    EpochStaysWithRing,
    /// The newest term heard of is kept with the ring.
    TermKeptWithRing,
    /// The session number survives the loss of the ring.
    SessionSurvivesLoss,
}

/// A world to explore.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// 1 or 2.
    pub devices: usize,
    /// That each device takes, those before the beginning included.
    pub readings: u8,
    /// Number of the last session that a device asks for.
    pub sessions: u8,
    /// How often producers are fenced in all: takeovers, and re-openings after a failure.
    pub fences: u8,
    /// How often a gateway dies and comes back knowing nothing, or gives the shard up.
    pub crashes: u8,
    /// How often a device loses its power.
    pub power_cuts: u8,
    /// What that does.
    pub ring: Ring,
    /// Readings in a DATA frame.
    pub frame_readings: u8,
    /// DATA frames on their way per lane.
    pub window_frames: u8,
    /// A transaction may also carry a part of the queue.
    pub split: bool,
    /// Frames may reach either gateway, whomever they were sent to.
    pub any_gateway: bool,
    /// How it begins.
    pub start: Start,
    /// The rule that does not hold.
    pub broken: Option<Rule>,
}

impl Setup {
    /// One device with a ring in flash: the smallest world in which most rules can be seen to be needed.
    pub const SMALL: Self = Self {
        devices: 1,
        readings: 2,
        sessions: 3,
        fences: 3,
        crashes: 1,
        power_cuts: 0,
        ring: Ring::Flash,
        frame_readings: 2,
        window_frames: 2,
        split: false,
        any_gateway: false,
        start: Start::Fresh,
        broken: None,
    };

    /// The same world without a rule.
    #[must_use]
    pub const fn without(self, rule: Rule) -> Self {
        Self { broken: Some(rule), ..self }
    }

    pub(crate) fn holds(&self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }

    /// Whether `term` is one of an owner before that of `than`.
    pub(crate) fn is_older(&self, term: u8, than: u8) -> bool {
        match self.terms() {
            0 => term < than,
            terms => (term + terms - than) % terms >= terms / 2,
        }
    }

    pub(crate) fn term_after(&self, term: u8) -> u8 {
        match self.terms() {
            0 => term + 1,
            terms => (term + 1) % terms,
        }
    }

    /// Terms are counted modulo this; 0 for never.
    fn terms(&self) -> u8 {
        if self.holds(Rule::TermsAreWide) { 0 } else { 4 }
    }
}
