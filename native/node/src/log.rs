//! What a broker's checkpoint partitions hold, for all shards of a run: the model of the compacted topic that gateways
//! restore from. The engine says which transactions are in the log; what they move is noted here.

use klais_burst_sync::{Lane, Mark, Term};
use klais_gateway::{Checkpoint, Submission};
use std::collections::BTreeMap;

/// One device: 12 bytes.
#[derive(Clone, Copy, Default)]
struct Row {
    live: Mark,
    backfill: Mark,
    epoch: u16,
    /// 0: nothing of the device is in the log.
    session: u16,
}

/// See the module.
#[derive(Default)]
pub struct Log {
    shards: u32,
    rows: Vec<Row>,
    terms: Vec<Option<Term>>,
    /// Not yet known to be in the log or never to be, by gateway and batch.
    undecided: BTreeMap<(u32, u32), Submission>,
}

impl Log {
    /// Bytes per device.
    pub const BYTES_PER_DEVICE: u32 = size_of::<Row>() as u32;

    /// A log in which every shard was claimed once, and nothing else is.
    pub fn new(devices: u32, shards: u32) -> Self {
        let terms = vec![Some(Term::default()); shards as usize];
        Self { shards, rows: vec![Row::default(); devices as usize], terms, undecided: BTreeMap::new() }
    }

    /// Gateway `gateway` has handed in a transaction.
    pub fn submit(&mut self, gateway: u32, submission: &Submission) {
        self.undecided.insert((gateway, submission.batch), submission.clone());
    }

    /// A transaction is in the log, or never will be.
    pub fn decide(&mut self, gateway: u32, batch: u32, is_stored: bool) {
        let Some(submission) = self.undecided.remove(&(gateway, batch)).filter(|_| is_stored) else { return };
        if let (Some(claim), Some(term)) = (submission.claim, self.terms.get_mut(submission.shard as usize)) {
            *term = Some(claim);
        }
        for entry in submission.entries.iter() {
            self.store(Checkpoint::from(entry));
        }
    }

    fn store(&mut self, Checkpoint { device, lane, epoch, session, mark }: Checkpoint) {
        let Some(row) = self.rows.get_mut(device as usize) else { return };
        if row.epoch != epoch {
            *row = Row::default();
        }
        (row.epoch, row.session) = (epoch, session);
        match lane {
            Lane::Live => row.live = mark,
            Lane::Backfill => row.backfill = mark,
        }
    }

    /// The last claim of a shard.
    pub fn term(&self, shard: u32) -> Option<Term> {
        self.terms.get(shard as usize).copied().flatten()
    }

    /// Everything that is known of a shard's devices.
    pub fn checkpoints(&self, shard: u32) -> impl Iterator<Item = Checkpoint> {
        let step = self.shards.max(1) as usize;
        let rows = self.rows.iter().enumerate().skip(shard as usize).step_by(step);
        rows.filter(|(_, row)| row.session != 0).flat_map(|(device, row)| {
            let of = |lane, mark| Checkpoint {
                device: device as u32,
                lane,
                epoch: row.epoch,
                session: row.session,
                mark,
            };
            [of(Lane::Live, row.live), of(Lane::Backfill, row.backfill)]
        })
    }
}
