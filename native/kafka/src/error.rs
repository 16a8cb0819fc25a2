//! Why the sink cannot do what it is asked, in words that say what to do about it.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use std::fmt;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkError {
    /// A setting cannot work.
    Setting {
        /// Its name in [`crate::KafkaConfig`].
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The operating system refuses something that the sink cannot do without.
    System {
        /// What.
        what: &'static str,
        /// Its words.
        problem: String,
    },
    /// No broker answers.
    Unreachable {
        /// Who was asked.
        brokers: String,
        /// The client's words.
        problem: String,
    },
    /// A topic does not exist.
    NoTopic {
        /// Its name.
        topic: String,
        /// How many partitions it needs.
        shards: u16,
    },
    /// A topic has not one partition a shard.
    Partitions {
        /// Its name.
        topic: String,
        /// Partitions that it has.
        found: usize,
        /// Partitions that it needs.
        shards: u16,
    },
    /// The checkpoint topic does not keep the last record of every key.
    NotCompacted {
        /// Its name.
        topic: String,
        /// Its `cleanup.policy`.
        policy: String,
    },
    /// A record in the checkpoint topic is not of this fleet.
    Foreign {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u16,
        /// The record's offset.
        offset: i64,
        /// What is wrong with it.
        problem: String,
    },
    /// Somebody's transaction stays open in the checkpoint partition and hides what comes after it.
    Unfinished {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u16,
        /// Where it begins.
        offset: i64,
    },
    /// Another producer has taken the shard.
    Fenced,
    /// Something took longer than it may.
    TimedOut {
        /// What.
        what: &'static str,
    },
    /// The client or the broker refuses.
    Client {
        /// What was asked.
        what: &'static str,
        /// Their words.
        problem: String,
    },
    /// A connection broke while a transaction was under way. A request may still be under way with it, so that this
    /// producer must not begin another transaction.
    Disturbed,
    /// Too many failures in a row: nothing is tried until the pause is over.
    CircuitOpen {
        /// The pause that is left, in milliseconds.
        millis: u64,
    },
    /// The broker's quota is used up: nothing is tried until it says so.
    Throttled {
        /// The pause that is left, in milliseconds.
        millis: u64,
    },
    /// The shard is not open.
    NotOpen,
    /// Too much is under way already.
    Busy {
        /// Of what there is too much.
        what: &'static str,
    },
    /// A batch is not what it has to be; nothing of it is in the log.
    Malformed {
        /// What is wrong with it.
        problem: String,
    },
}

/// Names of the kinds of [`SinkError`], for counters.
pub const REASONS: [&str; 17] = [
    "setting",
    "system",
    "unreachable",
    "no-topic",
    "partitions",
    "not-compacted",
    "foreign",
    "unfinished",
    "fenced",
    "timed-out",
    "client",
    "disturbed",
    "circuit-open",
    "throttled",
    "not-open",
    "busy",
    "malformed",
];

impl SinkError {
    /// Its place in [`REASONS`].
    pub fn reason(&self) -> usize {
        match self {
            Self::Setting { .. } => 0,
            Self::System { .. } => 1,
            Self::Unreachable { .. } => 2,
            Self::NoTopic { .. } => 3,
            Self::Partitions { .. } => 4,
            Self::NotCompacted { .. } => 5,
            Self::Foreign { .. } => 6,
            Self::Unfinished { .. } => 7,
            Self::Fenced => 8,
            Self::TimedOut { .. } => 9,
            Self::Client { .. } => 10,
            Self::Disturbed => 11,
            Self::CircuitOpen { .. } => 12,
            Self::Throttled { .. } => 13,
            Self::NotOpen => 14,
            Self::Busy { .. } => 15,
            Self::Malformed { .. } => 16,
        }
    }

    /// Whether it says something about the broker, so that it counts for the circuit breaker.
    pub(crate) fn is_brokers(&self) -> bool {
        !matches!(
            self,
            Self::Fenced
                | Self::Disturbed
                | Self::CircuitOpen { .. }
                | Self::Throttled { .. }
                | Self::NotOpen
                | Self::Busy { .. }
                | Self::Malformed { .. }
        )
    }

    /// What the client says, with the fence told from everything else.
    pub(crate) fn of(what: &'static str, error: &KafkaError) -> Self {
        match error.rdkafka_error_code() {
            Some(code) if is_fence(code) => Self::Fenced,
            Some(RDKafkaErrorCode::OperationTimedOut | RDKafkaErrorCode::MessageTimedOut) => {
                Self::TimedOut { what }
            }
            _ => Self::Client { what, problem: words(error) },
        }
    }

    /// The same for a producer, whose first fatal error says more than what came of it.
    pub(crate) fn of_producer<C: ProducerContext>(
        producer: &BaseProducer<C>,
        what: &'static str,
        error: &KafkaError,
    ) -> Self {
        match producer.client().fatal_error() {
            Some((code, _)) if is_fence(code) => Self::Fenced,
            Some((_, problem)) => Self::Client { what, problem },
            None => Self::of(what, error),
        }
    }
}

/// Whether a newer producer of the same transactional id has been seen, or the broker has given this one up, which is
/// what a process sees that was frozen for longer than its transaction may last.
pub(crate) fn is_fence(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch
    )
}

fn words(error: &KafkaError) -> String {
    match error {
        KafkaError::Transaction(error) => error.string(),
        other => other.to_string(),
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { key, problem } => write!(f, "{key}: {problem}"),
            Self::System { what, problem } => write!(f, "{what}: {problem}"),
            Self::Unreachable { brokers, problem } => write!(
                f,
                "no Kafka broker answers at {brokers}: start it, or name another one (the client says: {problem})"
            ),
            Self::NoTopic { topic, shards } => write!(
                f,
                "topic {topic} does not exist: create it with {shards} partitions, one a shard, or configure another"
            ),
            Self::Partitions { topic, found, shards } => write!(
                f,
                "topic {topic} has {found} partitions and the fleet {shards} shards: configure {found} shards, or use a \
                 new topic. Partitions must not be added to this one: devices would change their shard"
            ),
            Self::NotCompacted { topic, policy } => write!(
                f,
                "topic {topic} has cleanup.policy={policy}, by which marks would be deleted and readings stored twice: \
                 set it to compact"
            ),
            Self::Foreign { topic, partition, offset, problem } => write!(
                f,
                "record {offset} of {topic}, partition {partition}, is not of this fleet: {problem}. Use a topic that \
                 nothing else writes to"
            ),
            Self::Unfinished { topic, partition, offset } => write!(
                f,
                "a transaction is open in {topic}, partition {partition}, from record {offset} on: wait until it times \
                 out, or abort it with kafka-transactions.sh"
            ),
            Self::Fenced => write!(f, "another producer has taken the shard"),
            Self::TimedOut { what } => write!(f, "{what} took longer than it may"),
            Self::Client { what, problem } => write!(f, "{what}: {problem}"),
            Self::Disturbed => {
                write!(f, "a connection broke during a transaction: the shard must be opened again")
            }
            Self::CircuitOpen { millis } => {
                write!(f, "the broker has failed too often: nothing is tried for another {millis} ms")
            }
            Self::Throttled { millis } => {
                write!(f, "the quota is used up: nothing is tried for another {millis} ms")
            }
            Self::NotOpen => write!(f, "the shard is not open"),
            Self::Busy { what } => write!(f, "too many {what} are under way"),
            Self::Malformed { problem } => write!(f, "the batch is malformed: {problem}"),
        }
    }
}

impl std::error::Error for SinkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_told_from_other_errors() {
        for code in [
            RDKafkaErrorCode::Fenced,
            RDKafkaErrorCode::ProducerFenced,
            RDKafkaErrorCode::InvalidProducerEpoch,
        ] {
            assert_eq!(SinkError::of("commit", &KafkaError::MessageProduction(code)), SinkError::Fenced);
        }
        let other = KafkaError::MessageProduction(RDKafkaErrorCode::BrokerTransportFailure);
        assert!(matches!(SinkError::of("commit", &other), SinkError::Client { what: "commit", .. }));
        let late = KafkaError::MessageProduction(RDKafkaErrorCode::OperationTimedOut);
        assert_eq!(SinkError::of("commit", &late), SinkError::TimedOut { what: "commit" });
    }

    #[test]
    fn what_the_sink_refuses_by_itself_says_nothing_about_the_broker() {
        assert!(!SinkError::CircuitOpen { millis: 1 }.is_brokers());
        assert!(!SinkError::Fenced.is_brokers());
        assert!(SinkError::TimedOut { what: "commit" }.is_brokers());
        assert_eq!(REASONS[SinkError::Malformed { problem: String::new() }.reason()], "malformed");
    }
}
