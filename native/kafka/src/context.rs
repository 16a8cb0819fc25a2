//! What a client says by itself: lost connections, failed deliveries, throttle times.

use crate::clock::monotonic_nanos;
use crate::counters::Counters;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};
use rdkafka::statistics::Statistics;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::{debug, warn};

/// Facilities of librdkafka's log that mean that a request was lost, or is sent again.
const LOST: [&str; 2] = ["FAIL", "REQTMOUT"];
const NANOS_PER_MILLI: u64 = 1_000_000;

/// One client's.
pub(crate) struct Context {
    shard: u16,
    counters: Arc<Counters>,
    disturbed: AtomicBool,
    has_failed: AtomicBool,
    failure: Mutex<Option<RDKafkaErrorCode>>,
    /// The last word about a connection.
    trouble: Mutex<String>,
    throttled_until_nanos: AtomicU64,
}

impl Context {
    pub(crate) fn new(shard: u16, counters: Arc<Counters>) -> Self {
        Self {
            shard,
            counters,
            disturbed: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            failure: Mutex::new(None),
            trouble: Mutex::new(String::new()),
            throttled_until_nanos: AtomicU64::new(0),
        }
    }

    /// Whether a connection broke, so that a request that was answered may have a twin that is still under way: an
    /// EndTxn that comes late would end the next transaction of the same epoch before its time (KAFKA-17754).
    pub(crate) fn is_disturbed(&self) -> bool {
        self.disturbed.load(Relaxed)
    }

    /// Forgets what happened before the first transaction: a client that tries one address after the other.
    pub(crate) fn calm(&self) {
        self.disturbed.store(false, Relaxed);
    }

    /// Why the first message failed, if one has.
    pub(crate) fn failure(&self) -> Option<RDKafkaErrorCode> {
        if !self.has_failed.load(Relaxed) {
            return None;
        }
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last thing that went wrong with a connection; empty for nothing.
    pub(crate) fn trouble(&self) -> String {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When the broker takes requests again, as far as it has said; monotonic nanoseconds.
    pub(crate) fn throttled_until_nanos(&self) -> u64 {
        self.throttled_until_nanos.load(Relaxed)
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        let shard = self.shard;
        if LOST.contains(&facility) {
            self.disturbed.store(true, Relaxed);
            message.clone_into(&mut self.trouble.lock().unwrap_or_else(PoisonError::into_inner));
        }
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
                debug!(shard, facility, message, "kafka client");
            }
            _ => warn!(shard, facility, message, "kafka client"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.disturbed.store(true, Relaxed);
        debug!(shard = self.shard, %error, reason, "kafka client");
    }

    fn stats(&self, statistics: Statistics) {
        let windows = statistics.brokers.values().filter_map(|broker| broker.throttle.as_ref());
        let (mut sum, mut longest) = (0, 0);
        for window in windows {
            sum += u64::try_from(window.sum).unwrap_or(0);
            longest = longest.max(u64::try_from(window.max).unwrap_or(0));
        }
        if sum > 0 {
            self.counters.throttled(sum);
            let until = monotonic_nanos().saturating_add(longest.saturating_mul(NANOS_PER_MILLI));
            self.throttled_until_nanos.fetch_max(until, Relaxed);
        }
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, _: ()) {
        let Err((error, _)) = result else {
            return;
        };
        let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(code);
        self.has_failed.store(true, Relaxed);
    }
}

impl ConsumerContext for Context {}

/// Tells a client's events, so that it may act on them.
pub(crate) fn drain(producer: &BaseProducer<Context>) {
    // What is under way counts too; each turn tells one event, and events are few.
    const EVENTS_MAX: usize = 1_000;
    for _ in 0..EVENTS_MAX.min(usize::try_from(producer.in_flight_count()).unwrap_or(0)) {
        producer.poll(Duration::ZERO);
    }
}
