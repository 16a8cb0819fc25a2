//! A real broker, topics of one's own, and an independent look at what is in them.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod own_broker;
pub mod owner;
pub mod proxy;

use klais_burst_sync::Lane;
use klais_kafka::{Batch, Checkpoint, Entry, KafkaConfig, KafkaSink, Outcome, SinkError, SinkEvent};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::{Offset, TopicPartitionList};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

pub const READING_BYTES: usize = 100;
/// Longer than anything here takes.
pub const LONG: Duration = Duration::from_secs(60);

pub type Sink = KafkaSink<Vec<u8>>;

/// The broker that `KLAIS_KAFKA` names; without, the test says that it is skipped.
pub fn broker() -> Option<String> {
    setting("KLAIS_KAFKA", "it needs a Kafka broker, host:port")
}

#[allow(clippy::disallowed_methods, reason = "which broker there is, only the environment knows")]
pub fn setting(name: &str, why: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        println!("skipped: {name} is not set, and {why}");
    }
    value
}

/// Topics that nobody else has, and a sink's configuration for them.
pub fn fresh(brokers: &str, shards: u16) -> KafkaConfig {
    let config = unmade(brokers, shards);
    create(brokers, &config.data_topic, shards, &[]);
    create(brokers, &config.checkpoint_topic, shards, &[("cleanup.policy", "compact")]);
    config
}

/// The same without making the topics.
pub fn unmade(brokers: &str, shards: u16) -> KafkaConfig {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    named(brokers, shards, &format!("klais-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed)))
}

/// Of topics that begin with a name.
pub fn named(brokers: &str, shards: u16, name: &str) -> KafkaConfig {
    let mut config = KafkaConfig::new(brokers, shards, 10_000_000);
    config.data_topic = format!("{name}-readings");
    config.checkpoint_topic = format!("{name}-checkpoints");
    name.clone_into(&mut config.prefix);
    config
}

pub fn create(brokers: &str, name: &str, partitions: u16, settings: &[(&str, &str)]) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().expect("an admin client");
    let mut topic = NewTopic::new(name, i32::from(partitions), TopicReplication::Fixed(1));
    for (key, value) in settings {
        topic = topic.set(key, value);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let answers = runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).expect("an answer");
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let client: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a client");
    // What was made is told to clients a little later.
    for _ in 0..600 {
        let about = client.client().fetch_metadata(Some(name), LONG).expect("an answer");
        if about.topics().iter().any(|found| found.partitions().len() == usize::from(partitions)) {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
    panic!("{name} does not come to be");
}

/// The next event; fails the test if none comes.
pub fn next(sink: &mut Sink) -> SinkEvent {
    next_within(sink, LONG).expect("an event within a minute")
}

pub fn next_within(sink: &mut Sink, time: Duration) -> Option<SinkEvent> {
    if let Some(event) = sink.event() {
        return Some(event);
    }
    let timeout = PollTimeout::try_from(time).expect("a time");
    poll(&mut [PollFd::new(sink.bell(), PollFlags::POLLIN)], timeout).expect("poll");
    sink.event()
}

/// Takes a shard: its term and its marks.
pub fn open(sink: &mut Sink, shard: u16) -> (Option<u32>, Vec<Checkpoint>) {
    match try_open(sink, shard) {
        Ok(opened) => opened,
        Err(error) => panic!("not opened: {error}"),
    }
}

pub fn try_open(sink: &mut Sink, shard: u16) -> Result<(Option<u32>, Vec<Checkpoint>), SinkError> {
    sink.open(shard);
    match next(sink) {
        SinkEvent::Opened { shard: of, term, checkpoints } if of == shard => Ok((term, checkpoints)),
        SinkEvent::OpenFailed { shard: of, error } if of == shard => Err(error),
        other => panic!("{other:?}"),
    }
}

/// Submits, and waits for the outcome.
pub fn commit(sink: &mut Sink, batch: Batch<Vec<u8>>) -> Outcome {
    let number = batch.batch;
    sink.submit(batch);
    match next(sink) {
        SinkEvent::Decided { batch, outcome, .. } if batch == number => outcome,
        other => panic!("{other:?}"),
    }
}

/// Readings `first..first + count` of a device, each its own index over and over.
pub fn run(device: u32, lane: Lane, first: u32, count: u16) -> Entry<Vec<u8>> {
    let piece = |n: u32| n.to_be_bytes().repeat(READING_BYTES / 4);
    Entry {
        device,
        epoch: 1,
        session: 7,
        lane,
        first,
        count,
        stride: 1,
        end: first + u32::from(count),
        event_millis: 1_700_000_000_000 + u64::from(first) * 1_000,
        event_step_millis: 1_000,
        payload: (first..first + u32::from(count)).flat_map(piece).collect(),
    }
}

pub fn batch(shard: u16, number: u32, entries: Vec<Entry<Vec<u8>>>) -> Batch<Vec<u8>> {
    Batch { shard, batch: number, claim: None, entries: entries.into() }
}

pub fn claim(shard: u16, number: u32, term: u32) -> Batch<Vec<u8>> {
    Batch { shard, batch: number, claim: Some(term), entries: Vec::new().into() }
}

pub fn mark(device: u32, lane: Lane, mark: u32) -> Checkpoint {
    Checkpoint { device, lane, epoch: 1, session: 7, mark }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub timestamp: i64,
}

impl Record {
    pub fn header(&self, name: &str) -> &[u8] {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_slice())
            .expect("the header")
    }

    pub fn number(&self, name: &str) -> u64 {
        self.header(name).iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
    }
}

/// Everything in a partition that a reader who waits for commits can see.
pub fn committed(brokers: &str, topic: &str, partition: u16) -> Vec<Record> {
    read(brokers, topic, partition, "read_committed")
}

pub fn read(brokers: &str, topic: &str, partition: u16, isolation: &str) -> Vec<Record> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "klais-test")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", isolation)
        .create()
        .expect("a consumer");
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, i32::from(partition), Offset::Beginning).expect("an offset");
    consumer.assign(&assignment).expect("assigned");
    let mut records = Vec::new();
    loop {
        match consumer.poll(LONG) {
            Some(Ok(record)) => {
                let headers = record.headers().map_or_else(Vec::new, |headers| {
                    let of = |header: rdkafka::message::Header<'_, &[u8]>| {
                        (header.key.to_owned(), header.value.unwrap_or_default().to_vec())
                    };
                    headers.iter().map(of).collect()
                });
                records.push(Record {
                    key: record.key().unwrap_or_default().to_vec(),
                    value: record.payload().unwrap_or_default().to_vec(),
                    headers,
                    timestamp: record.timestamp().to_millis().unwrap_or(-1),
                });
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return records,
            other => panic!("{:?}", other.map(|found| found.map(drop))),
        }
    }
}

/// The sequence numbers of a device's lane, in the order of the log.
pub fn sequences(records: &[Record], device: u32, lane: u8) -> Vec<u64> {
    let [a, b, c, d] = device.to_be_bytes();
    let is_its = |record: &&Record| record.key == [a, b, c, d, lane];
    records.iter().filter(is_its).map(|record| record.number("s")).collect()
}
