//! A sink in this process: one FIFO server with a capacity and a commit latency. It counts readings and forgets them.

use crate::readings::Readings;
use crate::sink::{Sink, SinkCounters, SinkEvent};
use klais_burst_sync::Lane;
use klais_gateway::{CheckpointTable, Outcome, Submission};
use klais_units::{NANOS_PER_MICRO, NANOS_PER_SECOND};
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

/// Transactions under way at most; one more fails, and the gateway tries it again.
const UNDECIDED_MAX: usize = 65_536;
/// Readings that are told apart behind the newest of a lane. What comes from further back counts as a duplicate.
const WINDOW_READINGS: u32 = u64::BITS;

/// What is known of one device's lane: all of it below `mark - WINDOW_READINGS`, the rest by `recent`.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    mark: u32,
    /// Bit n: reading `mark - 1 - n` is stored. In two halves, so that a row is 12 bytes.
    recent: [u32; 2],
}

/// A transaction on its way.
struct Pending {
    decided_nanos: u64,
    submission: Submission<Readings>,
}

/// See the module.
pub struct MockSink {
    commit_nanos: u64,
    readings_per_second: u64,
    free_nanos: u64,
    pending: VecDeque<Pending>,
    /// Transactions that found no room.
    refused: VecDeque<u32>,
    /// Claims, which take no time: nobody is served before them.
    claims: VecDeque<Submission<Readings>>,
    /// Shards to be opened.
    opening: VecDeque<u32>,
    /// What a restored shard is told.
    checkpoints: CheckpointTable,
    seen: Box<[[Seen; 2]]>,
    counters: SinkCounters,
}

impl MockSink {
    /// For `devices`; see `SinkConfig::Mock` for the figures.
    pub fn new(devices: u32, shards: u32, commit_micros: u64, readings_per_second: u64) -> Self {
        Self {
            commit_nanos: commit_micros.saturating_mul(NANOS_PER_MICRO),
            readings_per_second,
            free_nanos: 0,
            pending: VecDeque::new(),
            refused: VecDeque::new(),
            claims: VecDeque::new(),
            opening: VecDeque::new(),
            checkpoints: CheckpointTable::new(devices, shards, false),
            seen: vec![[Seen::default(); 2]; devices as usize].into_boxed_slice(),
            counters: SinkCounters::default(),
        }
    }

    fn store(&mut self, submission: &Submission<Readings>) {
        self.checkpoints.store(submission);
        if submission.entries.is_empty() {
            return;
        }
        self.counters.transactions += 1;
        for entry in submission.entries.iter() {
            self.counters.readings += u64::from(entry.count);
            let lanes = self.seen.get_mut(entry.device as usize);
            let seen = match (lanes, entry.lane) {
                (Some([live, _]), Lane::Live) => live,
                (Some([_, backfill]), Lane::Backfill) => backfill,
                (None, _) => continue,
            };
            let stride = u32::from(entry.stride.max(1));
            for n in 0..u32::from(entry.count) {
                match seen.add(entry.first.saturating_add(n.saturating_mul(stride))) {
                    Place::New => {}
                    Place::Late => self.counters.reordered += 1,
                    Place::Again => self.counters.duplicates += 1,
                }
            }
        }
    }
}

enum Place {
    New,
    Late,
    Again,
}

impl Seen {
    fn add(&mut self, reading: u32) -> Place {
        let recent = u64::from(self.recent[0]) | u64::from(self.recent[1]) << 32;
        let (place, recent) = if reading >= self.mark {
            let by = reading - self.mark + 1;
            self.mark = reading.saturating_add(1);
            (Place::New, recent.checked_shl(by).unwrap_or(0) | 1)
        } else {
            let back = self.mark - 1 - reading;
            let bit = if back < WINDOW_READINGS { 1 << back } else { 0 };
            let late = bit != 0 && recent & bit == 0;
            (if late { Place::Late } else { Place::Again }, recent | bit)
        };
        self.recent = [recent as u32, (recent >> 32) as u32];
        place
    }
}

impl Sink for MockSink {
    fn open(&mut self, _now_micros: u64, shard: u32) {
        self.opening.push_back(shard);
    }

    fn close(&mut self, _shard: u32) {}

    fn submit(&mut self, now_micros: u64, submission: Submission<Readings>) {
        if self.pending.len() >= UNDECIDED_MAX {
            self.refused.push_back(submission.batch);
            return;
        }
        if submission.entries.is_empty() {
            self.claims.push_back(submission);
            return;
        }
        let readings: u128 = submission.entries.iter().map(|entry| u128::from(entry.count)).sum();
        let service = readings * u128::from(NANOS_PER_SECOND);
        let service = service.checked_div(u128::from(self.readings_per_second)).unwrap_or(0);
        let service = u64::try_from(service).unwrap_or(u64::MAX);
        let start = self.free_nanos.max(now_micros.saturating_mul(NANOS_PER_MICRO));
        self.free_nanos = start.saturating_add(service);
        let decided_nanos = self.free_nanos.saturating_add(self.commit_nanos);
        self.pending.push_back(Pending { decided_nanos, submission });
    }

    fn next_deadline(&self) -> Option<u64> {
        let decided = self.pending.front().map(|pending| pending.decided_nanos.div_ceil(NANOS_PER_MICRO));
        let nothing_waits = self.refused.is_empty() && self.opening.is_empty() && self.claims.is_empty();
        if nothing_waits { decided } else { Some(0) }
    }

    fn event(&mut self, now_micros: u64) -> Option<SinkEvent> {
        if let Some(batch) = self.refused.pop_front() {
            return Some(SinkEvent::Decided { batch, outcome: Outcome::Failed });
        }
        if let Some(shard) = self.opening.pop_front() {
            let checkpoints = self.checkpoints.checkpoints(shard).collect();
            return Some(SinkEvent::Opened { shard, term: self.checkpoints.term(shard), checkpoints });
        }
        if let Some(claim) = self.claims.pop_front() {
            self.store(&claim);
            return Some(SinkEvent::Decided { batch: claim.batch, outcome: Outcome::Committed });
        }
        let now = now_micros.saturating_mul(NANOS_PER_MICRO);
        let done = self.pending.pop_front_if(|pending| pending.decided_nanos <= now)?;
        self.store(&done.submission);
        Some(SinkEvent::Decided { batch: done.submission.batch, outcome: Outcome::Committed })
    }

    fn bell(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn keeps_readings(&self) -> bool {
        false
    }

    fn undecided(&self) -> usize {
        self.pending.len() + self.refused.len() + self.claims.len()
    }

    fn counters(&self) -> SinkCounters {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use klais_burst_sync::Term;
    use klais_gateway::SinkEntry;

    fn run(first: u32, count: u16, stride: u16) -> SinkEntry<Readings> {
        let end = first + (u32::from(count) - 1) * u32::from(stride) + 1;
        let (device, session, epoch, lane, due_millis) = (0, 1, 0, Lane::Live, 0);
        let payload = Readings::default();
        SinkEntry { device, session, epoch, lane, first, count, stride, end, due_millis, payload }
    }

    fn submission(batch: u32, entries: &[SinkEntry<Readings>]) -> Submission<Readings> {
        Submission { at: 0, shard: 0, batch, claim: None, entries: entries.into() }
    }

    /// The batch that is committed by then.
    fn committed(sink: &mut MockSink, now_micros: u64) -> Option<u32> {
        match sink.event(now_micros)? {
            SinkEvent::Decided { batch, outcome: Outcome::Committed } => Some(batch),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn transactions_queue_for_the_server_and_wait_for_their_commit() {
        let mut sink = MockSink::new(1, 1, 100, 1_000_000);
        sink.submit(1_000, submission(0, &[run(0, 10, 1)]));
        sink.submit(1_000, submission(1, &[run(10, 5, 1)]));
        assert_eq!(sink.next_deadline(), Some(1_110));
        assert_eq!(committed(&mut sink, 1_109), None);
        assert_eq!(committed(&mut sink, 1_110), Some(0));
        assert_eq!((committed(&mut sink, 1_110), sink.undecided()), (None, 1));
        assert_eq!(sink.next_deadline(), Some(1_115));
        assert_eq!(committed(&mut sink, 1_115), Some(1));
        assert_eq!(sink.counters().readings, 15);
    }

    #[test]
    fn without_figures_it_is_immediate() {
        let mut sink = MockSink::new(1, 1, 0, 0);
        sink.submit(7, submission(3, &[run(0, 1, 1)]));
        assert_eq!(committed(&mut sink, 7), Some(3));
    }

    #[test]
    fn an_opened_shard_hears_what_is_stored() {
        let mut sink = MockSink::new(1, 1, 0, 0);
        sink.open(0, 0);
        let Some(SinkEvent::Opened { term: None, checkpoints, .. }) = sink.event(0) else {
            panic!("not opened")
        };
        assert_eq!(checkpoints, []);
        sink.submit(0, Submission { claim: Some(Term::default()), ..submission(0, &[]) });
        sink.submit(0, submission(1, &[run(0, 4, 1)]));
        assert_eq!((committed(&mut sink, 0), committed(&mut sink, 0)), (Some(0), Some(1)));
        sink.open(0, 0);
        let Some(SinkEvent::Opened { term: Some(_), checkpoints, .. }) = sink.event(0) else {
            panic!("not opened")
        };
        assert_eq!(
            checkpoints.iter().map(|c| (c.lane, c.mark)).collect::<Vec<_>>(),
            [(Lane::Live, 4), (Lane::Backfill, 0)]
        );
        assert_eq!(sink.counters().transactions, 1);
    }

    #[test]
    fn duplicates_and_late_ones_are_told_apart() {
        let mut sink = MockSink::new(1, 1, 0, 0);
        let count = |sink: &mut MockSink, entry| {
            sink.submit(0, submission(0, &[entry]));
            while sink.event(0).is_some() {}
            (sink.counters().readings, sink.counters().duplicates, sink.counters().reordered)
        };
        assert_eq!(count(&mut sink, run(0, 4, 1)), (4, 0, 0));
        assert_eq!(count(&mut sink, run(2, 3, 1)), (7, 2, 0));
        assert_eq!(count(&mut sink, run(10, 3, 2)), (10, 2, 0));
        assert_eq!(count(&mut sink, run(11, 1, 1)), (11, 2, 1));
        assert_eq!(count(&mut sink, run(11, 1, 1)), (12, 3, 1));
        assert_eq!(count(&mut sink, run(1_000, 1, 1)), (13, 3, 1));
        assert_eq!(count(&mut sink, run(12, 1, 1)), (14, 4, 1));
        assert_eq!(count(&mut sink, run(1_000 - 63, 1, 1)), (15, 4, 2));
    }

    #[test]
    fn rows_are_small() {
        assert_eq!(size_of::<[Seen; 2]>(), 24);
    }
}
