//! The caller's side: it never waits.

use crate::budget::{Amount, Budget};
use crate::circuit::Circuit;
use crate::config::KafkaConfig;
use crate::counters::{CounterSnapshot, Counters};
use crate::error::SinkError;
use crate::types::{Batch, Outcome, SinkEvent};
use crate::worker::{Report, Shared, Worker};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Reports that wait for the caller at most; a worker waits for room.
const REPORTS_MAX: usize = 1_024;
/// Workers per shard at most: one that has the shard, and those whose client has not gone yet.
const WORKERS_PER_SHARD_MAX: usize = 4;

/// Readings into Kafka, exactly once. See the crate.
pub struct KafkaSink<P> {
    shared: Arc<Shared>,
    shards: Box<[Slot<P>]>,
    reports: Receiver<Report>,
    reporter: SyncSender<Report>,
    /// What the sink has decided by itself.
    own: VecDeque<SinkEvent>,
    workers_started: u64,
}

/// What the caller's side knows of a shard.
struct Slot<P> {
    /// The worker whose word counts; 0 for none.
    worker: u64,
    batches: Option<SyncSender<Batch<P>>>,
    undecided: usize,
}

impl<P> Default for Slot<P> {
    fn default() -> Self {
        Self { worker: 0, batches: None, undecided: 0 }
    }
}

impl<P: AsRef<[u8]> + Send + Sync + 'static> KafkaSink<P> {
    /// Asks no broker: that is for [`KafkaSink::open`].
    ///
    /// # Errors
    /// A setting that cannot work, or no file descriptor for the bell.
    pub fn new(config: KafkaConfig) -> Result<Self, SinkError> {
        config.check()?;
        let bell = EventFd::from_flags(EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC).map_err(|error| {
            SinkError::System { what: "no descriptor for the bell", problem: error.to_string() }
        })?;
        let counters = Counters::new()
            .ok_or_else(|| SinkError::System { what: "no histogram", problem: "its bounds".to_owned() })?;
        let most = Amount { readings: config.undecided_readings_max, bytes: config.undecided_bytes_max };
        let shards = (0..config.shards).map(|_| Slot::default()).collect();
        let shared = Shared {
            circuit: Mutex::new(Circuit::new(config.circuit)),
            budget: Budget::new(most),
            config: Arc::new(config),
            counters: Arc::new(counters),
            bell,
            workers: AtomicUsize::new(0),
            throttled_until_nanos: AtomicU64::new(0),
            is_compacted: AtomicBool::new(false),
        };
        let (reporter, reports) = sync_channel(REPORTS_MAX);
        Ok(Self {
            shared: Arc::new(shared),
            shards,
            reports,
            reporter,
            own: VecDeque::new(),
            workers_started: 0,
        })
    }

    /// Takes a shard, whoever has it: [`SinkEvent::Opened`] or [`SinkEvent::OpenFailed`] follows. Of a shard that is
    /// open or being opened already, everything undecided is forgotten.
    pub fn open(&mut self, shard: u16) {
        self.close(shard);
        if let Err(error) = self.start(shard) {
            self.shared.counters.failed(&error);
            self.say(SinkEvent::OpenFailed { shard, error });
        }
    }

    /// Lets a shard go. Nothing is said about it any more; what was submitted may be committed or not.
    pub fn close(&mut self, shard: u16) {
        if let Some(slot) = self.shards.get_mut(usize::from(shard)) {
            *slot = Slot::default();
        }
        self.own.retain(|event| shard_of(event) != shard);
    }

    /// Takes a transaction: [`SinkEvent::Decided`] follows. After an outcome that is not [`Outcome::Committed`] the
    /// shard has to be opened again.
    pub fn submit(&mut self, batch: Batch<P>) {
        let (shard, number) = (batch.shard, batch.batch);
        let most = self.shared.config.queued_batches_max;
        let accepted = match self.shards.get_mut(usize::from(shard)) {
            Some(Slot { batches: Some(batches), undecided, .. }) => {
                if *undecided > most {
                    Err(SinkError::Busy { what: "transactions" })
                } else {
                    Ok((batches, undecided))
                }
            }
            _ => Err(SinkError::NotOpen),
        };
        let sent = accepted.and_then(|(batches, undecided)| {
            self.shared.admit()?;
            match batches.try_send(batch) {
                Ok(()) => {
                    *undecided += 1;
                    Ok(())
                }
                Err(TrySendError::Full(_)) => Err(SinkError::Busy { what: "transactions" }),
                Err(TrySendError::Disconnected(_)) => Err(SinkError::NotOpen),
            }
        });
        if let Err(error) = sent {
            self.shared.counters.failed(&error);
            self.say(SinkEvent::Decided { shard, batch: number, outcome: Outcome::Failed(error) });
        }
    }

    /// The next thing that has happened.
    pub fn event(&mut self) -> Option<SinkEvent> {
        // Nothing to read means that it does not ring. Silenced first: what comes later rings it again.
        let _ = self.shared.bell.read();
        let event = self.own.pop_front().or_else(|| self.reported());
        if event.is_some() {
            // There may be more, and the caller may poll before it asks again.
            let _ = self.shared.bell.write(1);
        }
        event
    }

    /// Transactions taken of which nothing was said yet.
    pub fn undecided(&self) -> usize {
        self.shards.iter().map(|slot| slot.undecided).sum()
    }

    /// What was done so far.
    pub fn counters(&self) -> CounterSnapshot {
        let circuit = self.shared.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.counters.snapshot(circuit.state(), circuit.opened())
    }

    /// Readable while [`KafkaSink::event`] may have something to say.
    pub fn bell(&self) -> BorrowedFd<'_> {
        self.shared.bell.as_fd()
    }

    fn start(&mut self, shard: u16) -> Result<(), SinkError> {
        let shards = self.shared.config.shards;
        if shard >= shards {
            return Err(SinkError::Setting {
                key: "shards",
                problem: format!("there is no shard {shard} of {shards}"),
            });
        }
        self.shared.admit()?;
        if self.shared.workers.load(Relaxed) >= usize::from(shards).saturating_mul(WORKERS_PER_SHARD_MAX) {
            return Err(SinkError::Busy { what: "workers" });
        }
        self.workers_started += 1;
        let number = self.workers_started;
        let (sender, batches) = sync_channel(self.shared.config.queued_batches_max);
        let (shared, reports) = (Arc::clone(&self.shared), self.reporter.clone());
        let worker = Worker { shared, shard, number, batches, reports };
        self.shared.workers.fetch_add(1, Relaxed);
        let started = thread::Builder::new().name(format!("kafka-{shard}")).spawn(move || worker.run());
        if let Err(error) = started {
            self.shared.workers.fetch_sub(1, Relaxed);
            return Err(SinkError::System { what: "no thread for a shard", problem: error.to_string() });
        }
        if let Some(slot) = self.shards.get_mut(usize::from(shard)) {
            *slot = Slot { worker: number, batches: Some(sender), undecided: 0 };
        }
        Ok(())
    }

    /// The next report of a worker whose word counts.
    fn reported(&mut self) -> Option<SinkEvent> {
        loop {
            let Report { worker, event } = self.reports.try_recv().ok()?;
            let Some(slot) = self.shards.get_mut(usize::from(shard_of(&event))) else {
                continue;
            };
            if slot.worker != worker {
                continue;
            }
            match &event {
                SinkEvent::Decided { outcome, .. } => {
                    slot.undecided = slot.undecided.saturating_sub(1);
                    if *outcome != Outcome::Committed {
                        slot.batches = None;
                    }
                }
                SinkEvent::OpenFailed { .. } => slot.batches = None,
                SinkEvent::Opened { .. } => {}
            }
            return Some(event);
        }
    }

    fn say(&mut self, event: SinkEvent) {
        self.own.push_back(event);
        let _ = self.shared.bell.write(1);
    }
}

fn shard_of(event: &SinkEvent) -> u16 {
    match event {
        SinkEvent::Opened { shard, .. }
        | SinkEvent::OpenFailed { shard, .. }
        | SinkEvent::Decided { shard, .. } => *shard,
    }
}
