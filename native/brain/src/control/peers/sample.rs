//! Transactions as the laws see them.

use super::super::Commit;

/// One transaction, standing for its frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// From submission to outcome, and how long its oldest frame waited before, beyond what group commit costs by itself.
    pub(super) rtt_micros: u64,
    /// That wait alone.
    pub(super) wait_micros: u64,
    /// Frames undecided until then, its own among them.
    pub(super) in_flight: u64,
    /// Readings in it.
    pub(super) readings: u64,
    /// It failed, or nobody knows.
    pub(super) is_dropped: bool,
    /// The shortest time from submission to outcome so far.
    pub(super) latency_micros_min: u64,
}

/// Makes samples of transactions.
#[derive(Clone, Debug)]
pub(super) struct Sampler {
    commit_interval_micros: u64,
    latency_micros_min: Option<u64>,
    undecided_frames: u64,
}

impl Sampler {
    pub(super) fn new(commit_interval_micros: u64) -> Self {
        Self { commit_interval_micros, latency_micros_min: None, undecided_frames: 0 }
    }

    /// A frame is taken in; `before` were undecided.
    pub(super) fn on_accepted(&mut self, before: u64) {
        self.undecided_frames = before + 1;
    }

    pub(super) fn sample(&mut self, commit: &Commit) -> Sample {
        let latency = commit.latency_micros().max(1);
        let least = self.latency_micros_min.map_or(latency, |least| least.min(latency));
        if commit.is_committed {
            self.latency_micros_min = Some(least);
        }
        let waited = commit.submitted_micros.saturating_sub(commit.accepted_micros);
        let wait_micros = waited.saturating_sub(self.commit_interval_micros + least);
        let in_flight = self.undecided_frames.max(commit.frames);
        if commit.is_committed {
            self.undecided_frames = in_flight - commit.frames;
        }
        Sample {
            rtt_micros: latency + wait_micros,
            wait_micros,
            in_flight,
            readings: commit.readings,
            is_dropped: !commit.is_committed,
            latency_micros_min: least,
        }
    }
}
