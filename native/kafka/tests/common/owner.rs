//! A shard's owner as the gateway is one: what failed is put back in front unless the restored mark says otherwise.
#![allow(dead_code, reason = "each test binary uses its part")]

use super::{Sink, batch, next_within, run, sequences};
use klais_burst_sync::Lane;
use klais_kafka::{Outcome, SinkError, SinkEvent};
use std::thread;
use std::time::Duration;

/// Readings in a transaction.
pub const COUNT: u16 = 50;
/// Between two tries to open.
const PAUSE: Duration = Duration::from_millis(100);

/// One device, of number `shard`, whose readings are stored one transaction after the other.
pub struct Owner {
    pub shard: u16,
    /// Everything below is known to be stored.
    pub mark: u32,
    batches: u32,
    pub failures: Vec<SinkError>,
}

impl Owner {
    pub fn new(shard: u16) -> Self {
        Self { shard, mark: 0, batches: 0, failures: Vec::new() }
    }

    /// Takes the shard, however often it has to be tried.
    pub fn open(&mut self, sink: &mut Sink, within: Duration) {
        let tries = within.as_millis() / PAUSE.as_millis();
        for _ in 0..tries {
            sink.open(self.shard);
            match next_within(sink, within).expect("an answer") {
                SinkEvent::Opened { checkpoints, .. } => {
                    let restored = checkpoints.first().map_or(0, |checkpoint| checkpoint.mark);
                    let expected = [self.mark, self.mark + u32::from(COUNT)];
                    assert!(expected.contains(&restored), "mark {restored}, not one of {expected:?}");
                    self.mark = restored;
                    return;
                }
                SinkEvent::OpenFailed { error, .. } => self.failures.push(error),
                decided => panic!("{decided:?}"),
            }
            thread::park_timeout(PAUSE);
        }
        panic!("not opened within {within:?}: {:?}", self.failures);
    }

    /// Stores one transaction; whether it was committed.
    pub fn store(&mut self, sink: &mut Sink) -> bool {
        self.batches += 1;
        let entry = run(self.shard.into(), Lane::Live, self.mark, COUNT);
        sink.submit(batch(self.shard, self.batches, vec![entry]));
        match next_within(sink, super::LONG).expect("an outcome") {
            SinkEvent::Decided { outcome: Outcome::Committed, .. } => {
                self.mark += u32::from(COUNT);
                true
            }
            SinkEvent::Decided { outcome: Outcome::Failed(error), .. } => {
                self.failures.push(error);
                false
            }
            other => panic!("{other:?}"),
        }
    }

    /// What is to be in the log: everything once, in order.
    pub fn assert_stored(&self, brokers: &str, topic: &str) {
        let records = super::committed(brokers, topic, self.shard);
        let expected: Vec<u64> = (0..self.mark.into()).collect();
        assert_eq!(sequences(&records, self.shard.into(), 0), expected);
    }
}
