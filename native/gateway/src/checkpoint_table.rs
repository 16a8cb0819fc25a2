//! What a compacted topic of checkpoints comes to, kept in memory: for a sink within a process, and for the simulator's
//! model of a broker.

use crate::{Checkpoint, Submission};
use klais_burst_sync::{Lane, Mark, Term};

/// One device: 12 bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    live: Mark,
    backfill: Mark,
    epoch: u16,
    /// 0: nothing of the device is stored.
    session: u16,
}

/// The newest checkpoint of every device and lane, and every shard's last claim.
#[derive(Clone, Debug, Default)]
pub struct CheckpointTable {
    rows: Vec<Row>,
    terms: Vec<Option<Term>>,
}

impl CheckpointTable {
    /// Bytes per device.
    pub const BYTES_PER_DEVICE: u32 = size_of::<Row>() as u32;

    /// A log in which nothing is, or the one of a fleet in steady state.
    #[must_use]
    pub fn new(devices: u32, shards: u32, claimed: bool) -> Self {
        let term = claimed.then(Term::default);
        Self { rows: vec![Row::default(); devices as usize], terms: vec![term; shards as usize] }
    }

    /// A transaction is stored.
    pub fn store<P>(&mut self, submission: &Submission<P>) {
        if let (Some(claim), Some(term)) = (submission.claim, self.terms.get_mut(submission.shard as usize)) {
            *term = Some(claim);
        }
        for Checkpoint { device, lane, epoch, session, mark } in submission.entries.iter().map(Into::into) {
            let Some(row) = self.rows.get_mut(device as usize) else { continue };
            if row.epoch != epoch {
                *row = Row::default();
            }
            (row.epoch, row.session) = (epoch, session);
            match lane {
                Lane::Live => row.live = mark,
                Lane::Backfill => row.backfill = mark,
            }
        }
    }

    /// The last claim of a shard.
    #[must_use]
    pub fn term(&self, shard: u32) -> Option<Term> {
        self.terms.get(shard as usize).copied().flatten()
    }

    /// Everything that is known of a shard's devices, two checkpoints each.
    pub fn checkpoints(&self, shard: u32) -> impl Iterator<Item = Checkpoint> {
        let step = self.terms.len().max(1);
        let rows = self.rows.iter().enumerate().skip(shard as usize).step_by(step);
        rows.filter(|(_, row)| row.session != 0).flat_map(|(device, row)| {
            let Row { live, backfill, epoch, session } = *row;
            let of = |lane, mark| Checkpoint { device: device as u32, lane, epoch, session, mark };
            [of(Lane::Live, live), of(Lane::Backfill, backfill)]
        })
    }
}
