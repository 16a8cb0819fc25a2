//! What a gateway saw: of each frame, of each transaction, and summed up since the last tick.

/// The order in which readings go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Fresh readings.
    Live,
    /// History.
    Backfill,
}

/// Readings of one lane since the last tick, and what waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneSeen {
    /// Taken in.
    pub accepted: u64,
    /// That wait for a transaction now.
    pub queued: u64,
}

/// Transactions decided since the last tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitsSeen {
    /// How many committed.
    pub committed: u64,
    /// How many failed, or nobody knows.
    pub failed: u64,
    /// Readings that committed.
    pub readings: u64,
}

impl CommitsSeen {
    /// Adds an outcome.
    pub fn add(&mut self, commit: &Commit) {
        if commit.is_committed {
            self.committed += 1;
            self.readings = self.readings.saturating_add(commit.readings);
        } else {
            self.failed += 1;
        }
    }
}

/// Everything that a gateway saw between two ticks. Counts are of this gateway alone; nothing here is the scenario's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// The tick, in microseconds.
    pub now: u64,
    /// Since the tick before, in microseconds.
    pub elapsed_micros: u64,
    /// Fresh readings.
    pub live: LaneSeen,
    /// History.
    pub backfill: LaneSeen,
    /// Transactions decided.
    pub commits: CommitsSeen,
    /// Readings handed to the sink since the last tick.
    pub submitted_readings: u64,
    /// Transactions that the sink has not decided.
    pub in_flight: u64,
    /// Readings in them.
    pub in_flight_readings: u64,
    /// How long the oldest of them has been under way, in microseconds; 0 for none.
    pub in_flight_micros_max: u64,
    /// DATA frames accepted and not yet decided by the sink.
    pub undecided_frames: u64,
    /// History waits for no other reason than the share of the sink that was decided.
    pub is_held_back: bool,
    /// How long the reading at the head of the longest queue has waited, in microseconds; 0 for none.
    pub queued_micros_max: u64,
    /// Devices with a session.
    pub online: u64,
    /// Devices that were promised a slot and have begun, and that have let it pass, since the last tick.
    pub slots_kept: u64,
    /// See `slots_kept`.
    pub slots_missed: u64,
    /// Shards served.
    pub shards: u64,
    /// Share of its CPU that the gateway uses, where the driver tells, in thousandths.
    pub cpu_permille: Option<u32>,
}

/// One transaction that the sink has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// When the gateway heard of it, in microseconds.
    pub heard_micros: u64,
    /// When it was handed to the sink.
    pub submitted_micros: u64,
    /// When the oldest frame in it was accepted.
    pub accepted_micros: u64,
    /// Readings in it.
    pub readings: u64,
    /// DATA frames in it.
    pub frames: u64,
    /// Readings of this gateway under way when it was submitted, its own among them.
    pub in_flight_readings: u64,
    /// It is in the log; else it failed or nobody knows.
    pub is_committed: bool,
}

impl Commit {
    /// From submission to outcome.
    #[must_use]
    pub fn latency_micros(&self) -> u64 {
        self.heard_micros.saturating_sub(self.submitted_micros)
    }

    /// From when its oldest frame was accepted to the outcome: what a client sees as the round trip.
    #[must_use]
    pub fn sojourn_micros(&self) -> u64 {
        self.heard_micros.saturating_sub(self.accepted_micros)
    }
}

/// A DATA frame with something new in it, about to be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When, in microseconds.
    pub now: u64,
    /// Whose.
    pub device: u32,
    /// Which lane.
    pub lane: Lane,
    /// New readings in it.
    pub readings: u64,
    /// DATA frames accepted and not yet decided by the sink.
    pub undecided_frames: u64,
    /// Readings that wait for a transaction, both lanes.
    pub queued_readings: u64,
    /// Devices with a session.
    pub online: u64,
}
