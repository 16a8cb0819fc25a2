//! A shard's log: the transactional producer that owns it, from the fence to the first failure.

use crate::clock::{Deadline, monotonic_nanos, nanos_of, wall_millis};
use crate::config::KafkaConfig;
use crate::context::{Context, drain};
use crate::counters::Counters;
use crate::error::{SinkError, is_fence};
use crate::format;
use crate::marks;
use crate::restore::{self, Restored};
use crate::topics;
use crate::types::{Batch, Entry};
use klais_units::NANOS_PER_MICRO;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// Between two looks at how much is still under way. `poll` itself would spin, or wait for all of its time.
const LOOK: Duration = Duration::from_micros(200);
/// The client is told that no more is to come at each of the first looks, and then at every so many.
const KICKS: u32 = 10;
/// Between two tries to fence.
const RETRY: Duration = Duration::from_millis(10);
const DELIVERY: &str = "delivering a transaction's records";
const COMMIT: &str = "committing a transaction";

/// See the module. After an error it is good for nothing but to be dropped: rule 4 of the protocol.
pub(crate) struct ShardLog {
    producer: BaseProducer<Context>,
    config: Arc<KafkaConfig>,
    counters: Arc<Counters>,
    shard: u16,
    /// When something was last seen to be delivered.
    progress_nanos: u64,
    under_way: i32,
    /// Looks since then.
    looks: u32,
    /// Records in a request.
    request: i32,
    /// Records that this request has room for.
    room: i32,
}

impl ShardLog {
    /// Takes the shard: fences whoever has it, then reads what is stored. `is_compacted` remembers from one shard to the
    /// next that the checkpoint topic is.
    pub(crate) fn open(
        config: &Arc<KafkaConfig>,
        counters: &Arc<Counters>,
        is_compacted: &AtomicBool,
        shard: u16,
    ) -> Result<(Self, Restored), SinkError> {
        let deadline = Deadline::after(config.open_timeout);
        let context = || Context::new(shard, Arc::clone(counters));
        let of = |error| SinkError::of("making a client", &error);
        let producer: BaseProducer<Context> =
            config.producer(shard).create_with_context(context()).map_err(of)?;
        // It connects while the producer fences.
        let consumer: BaseConsumer<Context> = config.consumer().create_with_context(context()).map_err(of)?;
        topics::check(&producer, config, deadline)?;
        if !is_compacted.load(Relaxed) {
            topics::check_compaction(config, context(), deadline)?;
            is_compacted.store(true, Relaxed);
        }
        if config.transactions {
            fence(&producer, deadline)?;
        }
        let restored = restore::restore(&consumer, &producer, config, shard, deadline)?;
        drain(&producer);
        producer.client().context().calm();
        counters.opened.fetch_add(1, Relaxed);
        counters.restored.fetch_add(restored.records, Relaxed);
        let (config, counters) = (Arc::clone(config), Arc::clone(counters));
        Ok((
            Self {
                producer,
                config,
                counters,
                shard,
                progress_nanos: 0,
                under_way: 0,
                looks: 0,
                request: 0,
                room: 0,
            },
            restored,
        ))
    }

    /// Tells the client's events while there is nothing else to do.
    pub(crate) fn idle(&self) {
        drain(&self.producer);
    }

    /// When the broker takes requests again, monotonic nanoseconds.
    pub(crate) fn throttled_until_nanos(&self) -> u64 {
        self.producer.client().context().throttled_until_nanos()
    }

    /// One transaction. Returns when it is decided.
    pub(crate) fn write<P: AsRef<[u8]>>(&mut self, batch: &Batch<P>) -> Result<(), SinkError> {
        drain(&self.producer);
        if self.producer.client().context().is_disturbed() {
            return Err(SinkError::Disturbed);
        }
        let deadline = Deadline::after(self.config.delivery_timeout());
        if self.config.transactions {
            self.producer
                .begin_transaction()
                .map_err(|error| self.error("beginning a transaction", &error))?;
        }
        self.begin(batch);
        let written = self.produce(batch, deadline)?;
        self.settle(deadline)?;
        let delivered = monotonic_nanos();
        if self.config.transactions {
            self.producer
                .commit_transaction(self.config.commit_timeout)
                .map_err(|error| self.error(COMMIT, &error))?;
        }
        self.counters.committed(monotonic_nanos().saturating_sub(delivered) / NANOS_PER_MICRO);
        self.counters.readings.fetch_add(written.readings, Relaxed);
        self.counters.bytes.fetch_add(written.bytes, Relaxed);
        self.counters.checkpoints.fetch_add(written.checkpoints, Relaxed);
        self.counters.transactions.fetch_add(1, Relaxed);
        Ok(())
    }

    fn produce<P: AsRef<[u8]>>(
        &mut self,
        batch: &Batch<P>,
        deadline: Deadline,
    ) -> Result<Written, SinkError> {
        let now_millis = wall_millis();
        let (config, partition) = (Arc::clone(&self.config), i32::from(self.shard));
        let mut written = Written::default();
        for entry in batch.entries.iter() {
            if entry.device % u32::from(config.shards) != u32::from(self.shard) {
                let problem = format!("device {} is not of shard {}", entry.device, self.shard);
                return Err(SinkError::Malformed { problem });
            }
            let key = format::key(entry.device, entry.lane);
            for (n, reading) in (0..entry.count).zip(pieces(entry)) {
                let record = BaseRecord::to(&config.data_topic)
                    .partition(partition)
                    .timestamp(now_millis)
                    .headers(format::headers(entry, n))
                    .key(&key[..])
                    .payload(reading);
                self.send(record, deadline)?;
                written.bytes += reading.len() as u64;
            }
            written.readings += u64::from(entry.count);
        }
        for mark in marks::last(&batch.entries) {
            let (key, value) = (format::key(mark.device, mark.lane), format::checkpoint_value(&mark));
            self.send_checkpoint(&key, &value, now_millis, deadline)?;
            written.checkpoints += 1;
        }
        if let Some(term) = batch.claim {
            self.send_checkpoint(format::TERM_KEY, &format::term_value(term), now_millis, deadline)?;
        }
        Ok(written)
    }

    fn send_checkpoint(
        &mut self,
        key: &[u8],
        value: &[u8],
        now_millis: i64,
        deadline: Deadline,
    ) -> Result<(), SinkError> {
        let config = Arc::clone(&self.config);
        let record = BaseRecord::to(&config.checkpoint_topic)
            .partition(i32::from(self.shard))
            .timestamp(now_millis)
            .key(key)
            .payload(value);
        self.send(record, deadline)
    }

    /// Hands a record to the client, and waits while it has no room.
    ///
    /// The client has one request a partition under way, and where the next could go before that is answered, its
    /// thread spins until it may: it takes the core that the answer needs. So a request is answered before the client
    /// has a record of the next.
    fn send(&mut self, mut record: BaseRecord<'_, [u8], [u8]>, deadline: Deadline) -> Result<(), SinkError> {
        if self.room == 0 {
            self.settle(deadline)?;
            self.room = self.request;
        }
        self.room -= 1;
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                    record = unsent;
                    self.wait(deadline)?;
                }
                Err((error, _)) => return Err(self.error("handing over a record", &error)),
            }
        }
    }

    /// Waits until everything is delivered.
    fn settle(&mut self, deadline: Deadline) -> Result<(), SinkError> {
        self.progress_nanos = monotonic_nanos();
        self.looks = 0;
        while self.producer.in_flight_count() > 0 {
            self.wait(deadline)?;
        }
        self.failure()
    }

    /// A moment's pause. An error as soon as it is clear that waiting is vain.
    fn wait(&mut self, deadline: Deadline) -> Result<(), SinkError> {
        if self.looks < KICKS || self.looks.is_multiple_of(KICKS) {
            // Not to wait, but to be sent at once: the client looks for this only while the call lasts, so it takes a
            // few. Should it miss them all, the linger time comes to its end.
            let _ = self.producer.flush(Duration::ZERO);
        }
        self.looks = self.looks.wrapping_add(1);
        self.producer.poll(Duration::ZERO);
        self.failure()?;
        let under_way = self.producer.in_flight_count();
        let now = monotonic_nanos();
        if under_way != self.under_way || now < self.throttled_until_nanos() {
            self.under_way = under_way;
            self.progress_nanos = now;
        }
        let stalled = now.saturating_sub(self.progress_nanos) > nanos_of(self.config.stall_timeout);
        if stalled || deadline.is_over() {
            return Err(SinkError::TimedOut { what: DELIVERY });
        }
        thread::park_timeout(LOOK);
        Ok(())
    }

    fn begin<P: AsRef<[u8]>>(&mut self, batch: &Batch<P>) {
        let first = batch.entries.iter().find(|entry| entry.count > 0);
        let bytes = first.map_or(0, |entry| entry.payload.as_ref().len() / usize::from(entry.count));
        self.request = self.config.request_records(bytes);
        self.room = self.request;
    }

    fn failure(&self) -> Result<(), SinkError> {
        match self.producer.client().context().failure() {
            None => Ok(()),
            Some(code) => Err(self.error(DELIVERY, &KafkaError::MessageProduction(code))),
        }
    }

    /// The cause: a fence that any record has met goes before whatever followed from it.
    fn error(&self, what: &'static str, error: &KafkaError) -> SinkError {
        match self.producer.client().context().failure() {
            Some(code) if is_fence(code) => SinkError::Fenced,
            _ => SinkError::of_producer(&self.producer, what, error),
        }
    }
}

/// Fences whoever has the shard. Its last transaction is aborted first, and a coordinator may have to load: that takes
/// more than one try.
fn fence(producer: &BaseProducer<Context>, deadline: Deadline) -> Result<(), SinkError> {
    loop {
        let error = match producer.init_transactions(deadline.remaining()) {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let is_passing = |code| {
            matches!(
                code,
                RDKafkaErrorCode::ConcurrentTransactions
                    | RDKafkaErrorCode::CoordinatorLoadInProgress
                    | RDKafkaErrorCode::CoordinatorNotAvailable
                    | RDKafkaErrorCode::NotCoordinator
            )
        };
        let may_retry = match &error {
            KafkaError::Transaction(error) => error.is_retriable() || is_passing(error.code()),
            _ => false,
        };
        if !may_retry || deadline.is_over() {
            return Err(SinkError::of_producer(producer, "fencing the previous owner", &error));
        }
        thread::park_timeout(RETRY);
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Written {
    readings: u64,
    bytes: u64,
    checkpoints: u64,
}

/// The readings of a run: equal pieces. Bytes that do not divide are the last one's: whatever a device sends, it must not
/// keep its shard from being stored.
fn pieces<P: AsRef<[u8]>>(entry: &Entry<P>) -> impl Iterator<Item = &[u8]> {
    let bytes = entry.payload.as_ref();
    let count = usize::from(entry.count);
    let length = bytes.len().checked_div(count).unwrap_or(0);
    let of = move |n| {
        let end = if n + 1 == count { bytes.len() } else { (n + 1) * length };
        bytes.get(n * length..end).unwrap_or_default()
    };
    (0..count).map(of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use klais_burst_sync::Lane;

    fn split(count: u16, payload: &[u8]) -> Vec<&[u8]> {
        let (device, epoch, session, lane, first, stride, end) = (0, 0, 0, Lane::Live, 0, 1, 0);
        let (event_millis, event_step_millis) = (0, 0);
        let entry = Entry {
            device,
            epoch,
            session,
            lane,
            first,
            count,
            stride,
            end,
            event_millis,
            event_step_millis,
            payload,
        };
        // The bytes outlive the entry.
        let lengths: Vec<_> = pieces(&entry).map(<[u8]>::len).collect();
        let mut rest = payload;
        lengths.into_iter().map(|length| rest.split_off(..length).unwrap_or_default()).collect()
    }

    #[test]
    fn a_run_is_split_evenly_and_nothing_of_it_is_left_out() {
        assert_eq!(split(3, b"aabbcc"), [b"aa", b"bb", b"cc"]);
        assert_eq!(split(3, b"aabbccd"), [&b"aa"[..], b"bb", b"ccd"]);
        assert_eq!(split(3, b"ab"), [&b""[..], b"", b"ab"]);
        assert_eq!(split(2, b""), [b"", b""]);
        assert!(split(0, b"").is_empty() && split(0, b"ab").is_empty());
    }
}
