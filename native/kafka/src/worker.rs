//! One thread an open shard: it takes the shard, then one transaction after the other, up to the first that fails.

use crate::budget::{Amount, Budget};
use crate::circuit::Circuit;
use crate::clock::{Deadline, monotonic_nanos};
use crate::config::KafkaConfig;
use crate::counters::Counters;
use crate::error::SinkError;
use crate::format::READING_OVERHEAD_BYTES;
use crate::producer::ShardLog;
use crate::types::{Batch, Outcome, SinkEvent};
use nix::sys::eventfd::EventFd;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tracing::{info, warn};

/// An idle worker looks after its client so often.
const IDLE: Duration = Duration::from_millis(500);

/// What all workers and the caller's side share.
pub(crate) struct Shared {
    pub(crate) config: Arc<KafkaConfig>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) circuit: Mutex<Circuit>,
    pub(crate) budget: Budget,
    pub(crate) bell: EventFd,
    /// Workers that have not ended.
    pub(crate) workers: AtomicUsize,
    /// Until when brokers take no requests, monotonic nanoseconds.
    pub(crate) throttled_until_nanos: AtomicU64,
    /// The checkpoint topic was found to be compacted.
    pub(crate) is_compacted: AtomicBool,
}

impl Shared {
    /// Whether something may be tried.
    pub(crate) fn admit(&self) -> Result<(), SinkError> {
        const NANOS_PER_MILLI: u64 = 1_000_000;
        let now = monotonic_nanos();
        let throttled = self.throttled_until_nanos.load(Relaxed).saturating_sub(now);
        if throttled > 0 {
            return Err(SinkError::Throttled { millis: throttled.div_ceil(NANOS_PER_MILLI) });
        }
        let mut circuit = self.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        circuit.admit(now).map_err(|millis| SinkError::CircuitOpen { millis })
    }

    fn succeeded(&self) {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner).success();
    }

    /// Counts a failure; the circuit's too, where the broker has a part in it.
    fn failed(&self, shard: u16, error: &SinkError) {
        self.counters.failed(error);
        let opens = error.is_brokers()
            && self.circuit.lock().unwrap_or_else(PoisonError::into_inner).failure(monotonic_nanos());
        warn!(shard, %error, "kafka sink");
        if opens {
            warn!("kafka sink: the circuit is open");
        }
    }
}

/// An event, and which of the shard's workers it is from.
pub(crate) struct Report {
    pub(crate) worker: u64,
    pub(crate) event: SinkEvent,
}

/// A worker's way out. Whatever happens to the worker, what it owes an answer for is answered.
struct Reporter {
    shared: Arc<Shared>,
    reports: SyncSender<Report>,
    worker: u64,
    shard: u16,
    owed: Option<Owed>,
}

enum Owed {
    Opening,
    Batch(u32),
}

impl Reporter {
    fn tell(&mut self, event: SinkEvent) {
        self.owed = None;
        // Refused only if the sink is gone.
        let _ = self.reports.send(Report { worker: self.worker, event });
        // Refused only if the counter is full: then it rings already.
        let _ = self.shared.bell.write(1);
    }

    fn open_failed(&mut self, error: SinkError) {
        self.shared.failed(self.shard, &error);
        self.tell(SinkEvent::OpenFailed { shard: self.shard, error });
    }

    fn decided(&mut self, batch: u32, outcome: Outcome) {
        self.tell(SinkEvent::Decided { shard: self.shard, batch, outcome });
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        let error = || SinkError::System { what: "a worker has ended", problem: "a bug".to_owned() };
        match self.owed.take() {
            Some(Owed::Opening) => self.open_failed(error()),
            Some(Owed::Batch(batch)) => self.decided(batch, Outcome::Failed(error())),
            None => {}
        }
        self.shared.workers.fetch_sub(1, Relaxed);
    }
}

/// What a worker is made of.
pub(crate) struct Worker<P> {
    pub(crate) shared: Arc<Shared>,
    pub(crate) shard: u16,
    pub(crate) number: u64,
    pub(crate) batches: Receiver<Batch<P>>,
    pub(crate) reports: SyncSender<Report>,
}

impl<P: AsRef<[u8]> + Send + Sync + 'static> Worker<P> {
    /// The thread's whole life. It ends with the first failure, or when nobody can send batches any more.
    pub(crate) fn run(self) {
        let Self { shared, shard, number, batches, reports } = self;
        let mut reporter = Reporter {
            shared: Arc::clone(&shared),
            reports,
            worker: number,
            shard,
            owed: Some(Owed::Opening),
        };
        let began = monotonic_nanos();
        let (mut log, restored) =
            match ShardLog::open(&shared.config, &shared.counters, &shared.is_compacted, shard) {
                Ok(opened) => opened,
                Err(error) => return reporter.open_failed(error),
            };
        shared.succeeded();
        let micros = (monotonic_nanos() - began) / 1_000;
        info!(shard, micros, records = restored.records, term = restored.term, "kafka sink: shard taken");
        reporter.tell(SinkEvent::Opened { shard, term: restored.term, checkpoints: restored.checkpoints });
        loop {
            let batch = match batches.recv_timeout(IDLE) {
                Ok(batch) => batch,
                Err(RecvTimeoutError::Timeout) => {
                    log.idle();
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            };
            reporter.owed = Some(Owed::Batch(batch.batch));
            let outcome = write(&shared, &mut log, &batch);
            let goes_on = outcome == Outcome::Committed;
            reporter.decided(batch.batch, outcome);
            if !goes_on {
                return;
            }
        }
    }
}

fn write<P: AsRef<[u8]>>(shared: &Shared, log: &mut ShardLog, batch: &Batch<P>) -> Outcome {
    let deadline = Deadline::after(shared.config.delivery_timeout());
    let Some(_permit) = shared.budget.take(amount(batch), deadline) else {
        let error = SinkError::Busy { what: "readings" };
        shared.failed(batch.shard, &error);
        return Outcome::Failed(error);
    };
    let written = log.write(batch);
    match written {
        Ok(()) => {
            shared.succeeded();
            Outcome::Committed
        }
        Err(error) => {
            // A client that goes takes its connection along, and with it the broker's way of holding it back.
            shared.throttled_until_nanos.fetch_max(log.throttled_until_nanos(), Relaxed);
            shared.failed(batch.shard, &error);
            if error == SinkError::Fenced { Outcome::Fenced } else { Outcome::Failed(error) }
        }
    }
}

fn amount<P: AsRef<[u8]>>(batch: &Batch<P>) -> Amount {
    let mut amount = Amount::default();
    for entry in batch.entries.iter() {
        let readings = u64::from(entry.count);
        amount.readings += readings;
        amount.bytes += entry.payload.as_ref().len() as u64 + readings * READING_OVERHEAD_BYTES;
    }
    amount
}
