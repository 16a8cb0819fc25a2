//! Settings, and what they are to librdkafka.

use crate::circuit::CircuitConfig;
use crate::error::SinkError;
use crate::format::READING_OVERHEAD_BYTES;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;
use std::collections::BTreeMap;
use std::time::Duration;

/// Shards at most: each one open has a thread and a client.
pub const SHARDS_MAX: u16 = 4_096;
/// A transaction has this long beside its parts, so that the broker never gives up before the sink does.
const SLACK: Duration = Duration::from_secs(1);
/// librdkafka takes no larger number of messages in a request.
const REQUEST_RECORDS_MAX: u32 = 1_000_000;
/// What librdkafka takes for the longest transaction.
const TRANSACTION_MAX: Duration = Duration::from_secs(900);
/// Characters of a topic's name that Kafka takes.
const TOPIC_BYTES_MAX: usize = 249;
/// How often the client reports throttle times.
const STATISTICS_MILLIS: u32 = 1_000;
/// Room for messages that wait for the network, per producer. A longer batch goes through it bit by bit.
const QUEUE_MESSAGES_MAX: u32 = 200_000;
const QUEUE_KBYTES_MAX: u32 = 256 << 10;
/// A client that lost its broker asks for it again after so long, at first and at most.
const RECONNECT_MILLIS: (u32, u32) = (50, 1_000);
/// A fetch of the checkpoint topic.
const FETCH_BYTES: u32 = 16 << 20;
const FETCH_WAIT_MILLIS: u32 = 5;

/// Settings of librdkafka that the guarantees rest on, or that have a name of their own here.
const OWNED: [&str; 25] = [
    "acks",
    "batch.num.messages",
    "batch.size",
    "bootstrap.servers",
    "compression.codec",
    "compression.type",
    "delivery.report.only.error",
    "enable.auto.commit",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "isolation.level",
    "linger.ms",
    "log_level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.timeout.ms",
    "metadata.broker.list",
    "queue.buffering.max.ms",
    "request.required.acks",
    "socket.timeout.ms",
    "statistics.interval.ms",
    "delivery.timeout.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

/// How batches are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// LZ4.
    Lz4,
    /// Snappy.
    Snappy,
}

/// Settings of the sink. Those of [`KafkaConfig::new`] suit a broker in the same data centre.
#[derive(Clone, Debug)]
pub struct KafkaConfig {
    /// Brokers to begin with: `host:port`, comma-separated.
    pub brokers: String,
    /// Begins every `transactional.id`. Two fleets on one cluster need two.
    pub prefix: String,
    /// Topic of the readings, one partition a shard.
    pub data_topic: String,
    /// Topic of the marks: compacted, one partition a shard.
    pub checkpoint_topic: String,
    /// Partitions of ownership, 1 to [`SHARDS_MAX`].
    pub shards: u16,
    /// Devices of the fleet. A record of any other is refused on restoring.
    pub devices: u32,
    /// Exactly once. Without, a record is acknowledged when it is delivered, and a crash or a zombie stores readings
    /// twice: for comparison only.
    pub transactions: bool,
    /// How batches are packed.
    pub compression: Compression,
    /// How long the client waits for more before it sends, in milliseconds. The sink tells it when no more is to come;
    /// this is for when the client misses that.
    pub linger_millis: u32,
    /// Records in a request at most; with so many it is sent at once.
    pub request_records_max: u32,
    /// A request's bytes, about.
    pub batch_bytes: u32,
    /// Taking a shard, all in all.
    pub open_timeout: Duration,
    /// No message of a transaction is delivered for this long: it has failed. Times of throttling do not count.
    pub stall_timeout: Duration,
    /// The end of a transaction, once everything is delivered.
    pub commit_timeout: Duration,
    /// The broker aborts a transaction that is older. Bounds how long a dead gateway's last transaction hides what
    /// comes after it, unless the shard is taken over.
    pub transaction_timeout: Duration,
    /// Readings under way to the broker at most, over all shards. A transaction that finds no room waits in its shard's
    /// queue; one that is larger goes alone.
    pub undecided_readings_max: u64,
    /// The same in bytes.
    pub undecided_bytes_max: u64,
    /// Transactions that wait in a shard's queue at most; one more fails.
    pub queued_batches_max: usize,
    /// When the broker is left alone.
    pub circuit: CircuitConfig,
    /// Further settings of librdkafka, for clients that need them.
    pub extra: BTreeMap<String, String>,
}

impl KafkaConfig {
    /// With everything else as it suits most.
    pub fn new(brokers: impl Into<String>, shards: u16, devices: u32) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: "klais".to_owned(),
            data_topic: "klais-readings".to_owned(),
            checkpoint_topic: "klais-checkpoints".to_owned(),
            shards,
            devices,
            transactions: true,
            compression: Compression::None,
            linger_millis: 20,
            request_records_max: 2_000,
            batch_bytes: 1_000_000,
            open_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(10),
            commit_timeout: Duration::from_secs(10),
            transaction_timeout: Duration::from_secs(60),
            undecided_readings_max: 500_000,
            undecided_bytes_max: 256 << 20,
            queued_batches_max: 2,
            circuit: CircuitConfig { failures: 5, pause_millis_min: 250, pause_millis_max: 5_000 },
            extra: BTreeMap::new(),
        }
    }

    /// Finds what cannot work, without asking a broker.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn check(&self) -> Result<(), SinkError> {
        let wrong = |key, problem: &str| Err(SinkError::Setting { key, problem: problem.to_owned() });
        let addresses = self.brokers.split(',').map(str::trim);
        if !addresses.clone().all(is_address) {
            return wrong("brokers", "expected host:port, or several of them with commas between");
        }
        if self.prefix.is_empty() || self.prefix.contains(char::is_whitespace) {
            return wrong("prefix", "must not be empty or contain spaces");
        }
        for (key, topic) in [("data_topic", &self.data_topic), ("checkpoint_topic", &self.checkpoint_topic)] {
            if !is_topic(topic) {
                return wrong(key, "a topic is named with letters, digits, dots, dashes and underscores");
            }
        }
        if self.data_topic == self.checkpoint_topic {
            return wrong("checkpoint_topic", "must not be the topic of the readings");
        }
        if !(1..=SHARDS_MAX).contains(&self.shards) {
            return wrong("shards", &format!("must be within 1 to {SHARDS_MAX}"));
        }
        if self.devices == 0 {
            return wrong("devices", "must be at least 1");
        }
        self.check_times()?;
        self.check_limits()?;
        let owned = self.extra.keys().find(|key| OWNED.contains(&key.as_str()));
        if let Some(key) = owned {
            return wrong(
                "extra",
                &format!("{key} is not to be set: the sink depends on it, or has a setting for it"),
            );
        }
        self.producer(0)
            .create_native_config()
            .map(|_| ())
            .map_err(|error| SinkError::Setting { key: "extra", problem: error.to_string() })
    }

    fn check_times(&self) -> Result<(), SinkError> {
        let wrong = |key, problem: String| Err(SinkError::Setting { key, problem });
        for (key, time) in [
            ("open_timeout", self.open_timeout),
            ("stall_timeout", self.stall_timeout),
            ("commit_timeout", self.commit_timeout),
        ] {
            if time < SLACK {
                return wrong(key, format!("must be at least {} s", SLACK.as_secs()));
            }
        }
        if self.transaction_timeout > TRANSACTION_MAX {
            return wrong("transaction_timeout", format!("must be at most {} s", TRANSACTION_MAX.as_secs()));
        }
        if self.delivery_timeout() < self.stall_timeout {
            let needed = self.stall_timeout + self.commit_timeout + SLACK;
            let problem = format!(
                "must be at least stall_timeout + commit_timeout + {} s = {} s, or the broker gives up before the sink \
                 does",
                SLACK.as_secs(),
                needed.as_secs_f64()
            );
            return wrong("transaction_timeout", problem);
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), SinkError> {
        for (key, limit) in [
            ("undecided_readings_max", self.undecided_readings_max),
            ("undecided_bytes_max", self.undecided_bytes_max),
            ("queued_batches_max", self.queued_batches_max as u64),
            ("batch_bytes", self.batch_bytes.into()),
            ("request_records_max", self.request_records_max.into()),
            ("circuit.failures", self.circuit.failures.into()),
            ("circuit.pause_millis_min", self.circuit.pause_millis_min),
        ] {
            if limit == 0 {
                return Err(SinkError::Setting { key, problem: "must be at least 1".to_owned() });
            }
        }
        if self.request_records_max > REQUEST_RECORDS_MAX {
            let problem = format!("must be at most {REQUEST_RECORDS_MAX}");
            return Err(SinkError::Setting { key: "request_records_max", problem });
        }
        if self.circuit.pause_millis_max < self.circuit.pause_millis_min {
            let problem = "must not be less than the shortest pause".to_owned();
            return Err(SinkError::Setting { key: "circuit.pause_millis_max", problem });
        }
        Ok(())
    }

    /// Everything before the commit.
    pub(crate) fn delivery_timeout(&self) -> Duration {
        self.transaction_timeout.saturating_sub(self.commit_timeout + SLACK)
    }

    /// How many records of readings of so many bytes make a request.
    pub(crate) fn request_records(&self, reading_bytes: usize) -> i32 {
        let bytes = (reading_bytes as u64).saturating_add(READING_OVERHEAD_BYTES);
        let records = (u64::from(self.batch_bytes) / bytes).clamp(1, self.request_records_max.into());
        i32::try_from(records).unwrap_or(i32::MAX / 2)
    }

    /// The shard's producer; the one thing that two owners of a shard have in common.
    pub(crate) fn transactional_id(&self, shard: u16) -> String {
        format!("{}-shard-{shard}", self.prefix)
    }

    pub(crate) fn producer(&self, shard: u16) -> ClientConfig {
        let mut client = self.client();
        client
            .set("enable.idempotence", "true")
            // What fails is told; the count of what is under way tells the rest, at a third of the cost.
            .set("delivery.report.only.error", "true")
            .set("linger.ms", self.linger_millis.to_string())
            .set("batch.size", self.batch_bytes.to_string())
            .set("batch.num.messages", self.request_records_max.to_string())
            .set("queue.buffering.max.messages", QUEUE_MESSAGES_MAX.to_string())
            .set("queue.buffering.max.kbytes", QUEUE_KBYTES_MAX.to_string())
            .set("message.timeout.ms", self.delivery_timeout().as_millis().to_string())
            .set(
                "compression.type",
                match self.compression {
                    Compression::None => "none",
                    Compression::Lz4 => "lz4",
                    Compression::Snappy => "snappy",
                },
            )
            // Asked for a partition's end, a producer is to tell the end of what is written, not of what is committed.
            .set("isolation.level", "read_uncommitted");
        if self.transactions {
            client
                .set("transactional.id", self.transactional_id(shard))
                .set("transaction.timeout.ms", self.transaction_timeout.as_millis().to_string());
        }
        client
    }

    pub(crate) fn consumer(&self) -> ClientConfig {
        let mut client = self.client();
        client
            // Partitions are assigned by hand and offsets never committed: no group of that name comes to be.
            .set("group.id", format!("{}-restore", self.prefix))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "error")
            .set("check.crcs", "true")
            .set("fetch.wait.max.ms", FETCH_WAIT_MILLIS.to_string())
            .set("fetch.message.max.bytes", FETCH_BYTES.to_string())
            .set("fetch.max.bytes", (2 * FETCH_BYTES).to_string())
            .set("queued.min.messages", "1000000");
        client
    }

    pub(crate) fn client(&self) -> ClientConfig {
        let mut client = ClientConfig::new();
        let (reconnect, reconnect_max) = RECONNECT_MILLIS;
        client
            .set("client.id", format!("{}-gateway", self.prefix))
            .set("reconnect.backoff.ms", reconnect.to_string())
            .set("reconnect.backoff.max.ms", reconnect_max.to_string());
        for (key, value) in &self.extra {
            client.set(key, value);
        }
        client
            .set("bootstrap.servers", &self.brokers)
            // The sink gives up long before: a request is never sent a second time while its first copy may be under way
            // on a connection that only seems dead. And a broker that throttles is silent for as long as it likes.
            .set("socket.timeout.ms", self.transaction_timeout.as_millis().to_string())
            .set("statistics.interval.ms", STATISTICS_MILLIS.to_string())
            // Lost connections are told as informations: see `Context`.
            .set_log_level(RDKafkaLogLevel::Info);
        client
    }
}

fn is_address(address: &str) -> bool {
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
    port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port != 0))
        && !address.contains(char::is_whitespace)
}

fn is_topic(name: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=TOPIC_BYTES_MAX).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(is_legal)
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
