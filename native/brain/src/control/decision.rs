//! What a controller decides, and why.

/// No limit.
pub const UNLIMITED: u64 = u64::MAX;

/// How much is given up for the sink's sake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    #[default]
    Normal,
    /// History is slowed.
    HistorySlowed,
    /// History stands still.
    HistoryStopped,
    /// Fresh readings are thinned out and sessions put off.
    LiveThinned,
}

impl Level {
    /// 0 to 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// What led to a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// It is set so.
    #[default]
    Configured,
    /// Nothing is known of the sink yet, or it has been silent: the estimate doubles while it keeps up.
    Startup,
    /// The sink keeps up: a little more is tried.
    Probe,
    /// The sink's queue grows.
    Latency,
    /// A transaction failed, or nobody knows what became of it.
    Failure,
    /// A transaction is under way for far too long.
    Silence,
    /// The limit follows what the sink delivers.
    Delivery,
    /// Too much is in flight.
    InFlight,
    /// The gateway's own CPU.
    Cpu,
    /// Clients are over their quota.
    Quota,
    /// The future is known.
    Foreseen,
}

impl Reason {
    /// Of all, in the order of their codes.
    pub const ALL: [Self; 11] = [
        Self::Configured,
        Self::Startup,
        Self::Probe,
        Self::Latency,
        Self::Failure,
        Self::Silence,
        Self::Delivery,
        Self::InFlight,
        Self::Cpu,
        Self::Quota,
        Self::Foreseen,
    ];

    /// As logs and records say it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Startup => "startup",
            Self::Probe => "probe",
            Self::Latency => "latency",
            Self::Failure => "failure",
            Self::Silence => "silence",
            Self::Delivery => "delivery",
            Self::InFlight => "in-flight",
            Self::Cpu => "cpu",
            Self::Quota => "quota",
            Self::Foreseen => "foreseen",
        }
    }

    /// Its place in [`Reason::ALL`].
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// What holds from a tick on. `None` leaves a rate as it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// This gateway's share of the sink, in readings per second: history is paced at what live readings leave of it.
    pub capacity_per_second: Option<u64>,
    /// Readings per second that the dam lets in, of live readings and in all.
    pub admit_per_second: Option<u64>,
    /// Sessions to open per second.
    pub sessions_per_second: Option<u64>,
    /// History beyond which none is handed to the sink, in readings under way there. Live readings always go.
    pub in_flight_readings_max: u64,
    /// DATA frames accepted and not yet decided, above which frames are refused.
    pub undecided_frames_max: u64,
    /// Promise this much more to history than the sink is expected to take, in thousandths; `None`: as set.
    pub overbook_permille: Option<u64>,
    /// History is handed to the sink.
    pub is_history_open: bool,
    /// How much is given up.
    pub level: Level,
    /// Why.
    pub reason: Reason,
}

impl Default for Decision {
    fn default() -> Self {
        Self {
            capacity_per_second: None,
            admit_per_second: None,
            sessions_per_second: None,
            in_flight_readings_max: UNLIMITED,
            undecided_frames_max: UNLIMITED,
            overbook_permille: None,
            is_history_open: true,
            level: Level::Normal,
            reason: Reason::Configured,
        }
    }
}

/// What becomes of a frame that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is taken in.
    Accept,
    /// It is dropped, and counted. Its device hears nothing and sends it again.
    Refuse,
}
