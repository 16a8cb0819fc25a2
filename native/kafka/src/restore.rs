//! The marks of a shard, read from its checkpoint partition. Only after the fence: what is read then stays the last word.

use crate::clock::Deadline;
use crate::config::KafkaConfig;
use crate::context::Context;
use crate::error::SinkError;
use crate::format::{self, Stored};
use crate::types::Checkpoint;
use klais_burst_sync::Lane;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{Offset, TopicPartitionList};
use std::thread;
use std::time::Duration;

const WHAT: &str = "reading the checkpoint topic";
/// For the next record.
const WAIT: Duration = Duration::from_millis(50);
/// Between two looks at whether an open transaction has come to its end.
const LOOK: Duration = Duration::from_millis(5);

/// What a shard's log knows.
#[derive(Debug, Default)]
pub(crate) struct Restored {
    pub(crate) term: Option<u32>,
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// Records read.
    pub(crate) records: u64,
}

/// A row of the table: epoch, session, mark.
type Row = Option<(u16, u16, u32)>;

/// The last record of every key. Dense: its size is bounded by the fleet, not by what is in the topic.
struct Table<'a> {
    config: &'a KafkaConfig,
    shard: u16,
    term: Option<u32>,
    /// Live and backfill, by the device's index within the shard.
    rows: Vec<[Row; 2]>,
    records: u64,
}

/// Reads the partition to the end that it has now.
pub(crate) fn restore(
    consumer: &BaseConsumer<Context>,
    producer: &BaseProducer<Context>,
    config: &KafkaConfig,
    shard: u16,
    deadline: Deadline,
) -> Result<Restored, SinkError> {
    let topic = config.checkpoint_topic.as_str();
    let of = |error: KafkaError| SinkError::of(WHAT, &error);
    let partition = i32::from(shard);
    // The producer sees what is written, the consumer what is committed.
    let (_, written) =
        producer.client().fetch_watermarks(topic, partition, deadline.remaining()).map_err(of)?;
    let low = stable(consumer, config, shard, written, deadline)?;
    let mut table = Table { config, shard, term: None, rows: Vec::new(), records: 0 };
    if low < written {
        let mut assignment = TopicPartitionList::with_capacity(1);
        assignment.add_partition_offset(topic, partition, Offset::Beginning).map_err(of)?;
        consumer.assign(&assignment).map_err(of)?;
        read(consumer, &mut table, deadline)?;
    }
    Ok(table.into_restored())
}

/// Waits until everything up to `written` is committed or aborted: where the partition begins.
fn stable(
    consumer: &BaseConsumer<Context>,
    config: &KafkaConfig,
    shard: u16,
    written: i64,
    deadline: Deadline,
) -> Result<i64, SinkError> {
    let topic = config.checkpoint_topic.as_str();
    let mut last = None;
    loop {
        let error = match consumer.fetch_watermarks(topic, i32::from(shard), deadline.remaining()) {
            Ok((low, committed)) if committed >= written => return Ok(low),
            Ok((_, committed)) => {
                last = Some(committed);
                None
            }
            Err(error) => Some(SinkError::of(WHAT, &error)),
        };
        match (error, last) {
            (_, Some(offset)) if deadline.is_over() => {
                return Err(SinkError::Unfinished { topic: topic.to_owned(), partition: shard, offset });
            }
            (Some(error), _) => return Err(error),
            (None, _) => thread::park_timeout(LOOK),
        }
    }
}

fn read(
    consumer: &BaseConsumer<Context>,
    table: &mut Table<'_>,
    deadline: Deadline,
) -> Result<(), SinkError> {
    loop {
        match consumer.poll(WAIT) {
            None if deadline.is_over() => return Err(SinkError::TimedOut { what: WHAT }),
            None => {}
            Some(Ok(record)) => {
                let key = record.key().unwrap_or_default();
                table.add(key, record.payload()).map_err(|problem| SinkError::Foreign {
                    topic: table.config.checkpoint_topic.clone(),
                    partition: table.shard,
                    offset: record.offset(),
                    problem,
                })?;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
            Some(Err(error)) => return Err(SinkError::of(WHAT, &error)),
        }
        // Not for every record: the clock costs as much as the record does.
        if table.records.is_multiple_of(1_024) && deadline.is_over() {
            return Err(SinkError::TimedOut { what: WHAT });
        }
    }
}

impl Table<'_> {
    fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), String> {
        self.records += 1;
        match format::stored(key, value).map_err(|error| error.to_string())? {
            Stored::Term(term) => self.term = Some(term),
            Stored::NoTerm => self.term = None,
            Stored::NoMark(device, lane) => *self.row(device, lane)? = None,
            Stored::Mark(Checkpoint { device, lane, epoch, session, mark }) => {
                *self.row(device, lane)? = Some((epoch, session, mark));
            }
        }
        Ok(())
    }

    fn row(&mut self, device: u32, lane: Lane) -> Result<&mut Row, String> {
        let shards = u32::from(self.config.shards);
        if device >= self.config.devices {
            return Err(format!("device {device} of a fleet of {}", self.config.devices));
        }
        if device % shards != u32::from(self.shard) {
            return Err(format!(
                "device {device} is of shard {}: the number of shards has changed",
                device % shards
            ));
        }
        let index = (device / shards) as usize;
        if index >= self.rows.len() {
            self.rows.resize(index + 1, [None; 2]);
        }
        let row = self.rows.get_mut(index).map(|[live, backfill]| match lane {
            Lane::Live => live,
            Lane::Backfill => backfill,
        });
        row.ok_or_else(|| "no room".to_owned())
    }

    fn into_restored(self) -> Restored {
        let shards = u32::from(self.config.shards);
        let devices = (u32::from(self.shard)..).step_by(shards as usize);
        let rows = devices.zip(&self.rows).flat_map(|(device, [live, backfill])| {
            [(device, Lane::Live, live), (device, Lane::Backfill, backfill)]
        });
        let checkpoints = rows.filter_map(|(device, lane, row)| {
            row.map(|(epoch, session, mark)| Checkpoint { device, lane, epoch, session, mark })
        });
        Restored { term: self.term, checkpoints: checkpoints.collect(), records: self.records }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(config: &KafkaConfig) -> Table<'_> {
        Table { config, shard: 1, term: None, rows: Vec::new(), records: 0 }
    }

    fn add(table: &mut Table<'_>, mark: Checkpoint) -> Result<(), String> {
        table.add(&format::key(mark.device, mark.lane), Some(&format::checkpoint_value(&mark)))
    }

    const fn checkpoint(device: u32, lane: Lane, mark: u32) -> Checkpoint {
        Checkpoint { device, lane, epoch: 1, session: 2, mark }
    }

    #[test]
    fn the_last_record_of_a_key_counts_even_where_marks_have_wrapped() {
        let config = KafkaConfig::new("127.0.0.1:9092", 4, 100);
        let mut table = table(&config);
        for mark in [
            checkpoint(5, Lane::Live, u32::MAX),
            checkpoint(1, Lane::Backfill, 7),
            checkpoint(5, Lane::Live, 3),
            checkpoint(9, Lane::Live, 1),
        ] {
            assert_eq!(add(&mut table, mark), Ok(()));
        }
        assert_eq!(table.add(format::TERM_KEY, Some(&format::term_value(4))), Ok(()));
        assert_eq!(table.add(&format::key(9, Lane::Live), None), Ok(()));
        let restored = table.into_restored();
        let expected = [checkpoint(1, Lane::Backfill, 7), checkpoint(5, Lane::Live, 3)];
        assert_eq!((restored.term, restored.checkpoints.as_slice()), (Some(4), &expected[..]));
        assert_eq!(restored.records, 6);
    }

    #[test]
    fn a_device_of_another_shard_or_fleet_is_refused_without_room_for_it() {
        let config = KafkaConfig::new("127.0.0.1:9092", 4, 100);
        let mut table = table(&config);
        let refused = |table: &mut Table<'_>, device| add(table, checkpoint(device, Lane::Live, 1));
        assert!(
            refused(&mut table, 2).is_err_and(|problem| problem.contains("number of shards has changed"))
        );
        assert!(refused(&mut table, 4_294_967_293).is_err_and(|problem| problem.contains("fleet of 100")));
        assert_eq!(table.rows.len(), 0);
    }
}
