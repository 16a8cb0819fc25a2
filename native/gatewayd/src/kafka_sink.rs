//! The sink that writes to Kafka: what the gateway says, in the words of `klais_kafka`. It runs in real time, whatever the
//! scale of virtual time.

use crate::kafka_counts::KafkaCounts;
use crate::readings::Readings;
use crate::sink::{Sink, SinkCounters, SinkEvent};
use klais_burst_sync::Term;
use klais_gateway::{Outcome, SinkEntry, Submission};
use klais_kafka::{Batch, Entry, KafkaConfig, SinkError};
use std::collections::VecDeque;
use std::os::fd::BorrowedFd;

/// See the module.
pub struct KafkaSink {
    kafka: klais_kafka::KafkaSink<Readings>,
    /// Of shards that cannot be Kafka's.
    refused: VecDeque<SinkEvent>,
}

impl KafkaSink {
    /// Asks no broker yet.
    ///
    /// # Errors
    /// A setting that cannot work, or no descriptor for the bell.
    pub fn new(config: KafkaConfig) -> Result<Self, SinkError> {
        Ok(Self { kafka: klais_kafka::KafkaSink::new(config)?, refused: VecDeque::new() })
    }
}

impl Sink for KafkaSink {
    fn open(&mut self, _now_micros: u64, shard: u32) {
        match u16::try_from(shard) {
            Ok(shard) => self.kafka.open(shard),
            Err(_) => self.refused.push_back(SinkEvent::OpenFailed { shard }),
        }
    }

    fn close(&mut self, shard: u32) {
        if let Ok(shard) = u16::try_from(shard) {
            self.kafka.close(shard);
        }
    }

    fn submit(&mut self, _now_micros: u64, submission: Submission<Readings>) {
        let Submission { shard, batch, claim, entries, .. } = submission;
        let Ok(shard) = u16::try_from(shard) else {
            self.refused.push_back(SinkEvent::Decided { batch, outcome: Outcome::Failed });
            return;
        };
        let entries = entries.iter().map(entry).collect();
        self.kafka.submit(Batch { shard, batch, claim: claim.map(Term::number), entries });
    }

    fn next_deadline(&self) -> Option<u64> {
        (!self.refused.is_empty()).then_some(0)
    }

    fn event(&mut self, _now_micros: u64) -> Option<SinkEvent> {
        self.refused.pop_front().or_else(|| self.kafka.event().map(event))
    }

    fn bell(&self) -> Option<BorrowedFd<'_>> {
        Some(self.kafka.bell())
    }

    fn keeps_readings(&self) -> bool {
        true
    }

    fn undecided(&self) -> usize {
        self.kafka.undecided()
    }

    /// What others have stored it cannot know: duplicates are for a witness to find.
    fn counters(&self) -> SinkCounters {
        let counters = self.kafka.counters();
        let (readings, transactions) = (counters.readings, counters.transactions);
        SinkCounters { readings, duplicates: 0, reordered: 0, transactions }
    }

    fn kafka(&self) -> Option<KafkaCounts> {
        Some(self.kafka.counters().into())
    }
}

fn entry(of: &SinkEntry<Readings>) -> Entry<Readings> {
    Entry {
        device: of.device,
        epoch: of.epoch,
        session: of.session,
        lane: of.lane,
        first: of.first,
        count: of.count,
        stride: of.stride,
        end: of.end,
        event_millis: of.due_millis.into(),
        // A frame says when its first reading was taken, and no more.
        event_step_millis: 0,
        payload: of.payload.clone(),
    }
}

fn event(of: klais_kafka::SinkEvent) -> SinkEvent {
    match of {
        klais_kafka::SinkEvent::Opened { shard, term, checkpoints } => {
            SinkEvent::Opened { shard: shard.into(), term: term.map(Term::new), checkpoints }
        }
        klais_kafka::SinkEvent::OpenFailed { shard, .. } => SinkEvent::OpenFailed { shard: shard.into() },
        klais_kafka::SinkEvent::Decided { batch, outcome, .. } => {
            let outcome = match outcome {
                klais_kafka::Outcome::Committed => Outcome::Committed,
                klais_kafka::Outcome::Failed(_) => Outcome::Failed,
                klais_kafka::Outcome::Fenced => Outcome::Fenced,
            };
            SinkEvent::Decided { batch, outcome }
        }
    }
}
