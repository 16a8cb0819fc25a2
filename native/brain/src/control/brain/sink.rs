//! What can be known of the sink from outside: how long it takes when it is at rest, how much longer it takes now, and
//! how much it delivers.

use crate::control::{Commit, Observation};

/// The queue's delay is the least of so many latencies in a row, less the least of all: what chance adds is not in it.
const RECENT_COMMITS: usize = 5;
/// While nothing waits, the least latency is that of the last one to two of these spans: a sink may become slower. While
/// history waits it stays, or the queue that history makes would be taken for it.
const BASE_SPAN_MICROS: u64 = 30_000_000;
/// The average size of transactions is that of about so many.
const SIZE_MEMORY: u64 = 16;
const SIZE_PARTS: u64 = 64;
const SIZE_MAX: u64 = 1 << 32;
/// Ticks over which deliveries are kept, and over which they are summed up, at least and at most: a second to five.
const TICKS_MAX: usize = 100;
const SPAN_TICKS_MIN: u64 = 10;
const SPAN_TICKS_MAX: u64 = 50;
/// Spans looked at, each half a span before the one after it.
const SPANS: usize = 3;
/// A rate is known when so many frames of the largest size have been delivered at it.
const FRAMES_KNOWN: u64 = 16;

/// Latencies and deliveries of one gateway's transactions.
#[derive(Clone, Debug)]
pub(crate) struct SinkView {
    recent: [u64; RECENT_COMMITS],
    /// Latencies seen, up to as many as there is room for, and where the next one goes.
    known: usize,
    next: usize,
    base_now: Option<u64>,
    base_before: Option<u64>,
    base_since: u64,
    delivered: [u64; TICKS_MAX],
    tick: usize,
    /// When something committed last.
    heard_micros: u64,
    /// Readings of a transaction, on average of late, in parts of `SIZE_PARTS`.
    size: u64,
}

impl Default for SinkView {
    fn default() -> Self {
        Self {
            recent: [0; RECENT_COMMITS],
            known: 0,
            next: 0,
            base_now: None,
            base_before: None,
            base_since: 0,
            delivered: [0; TICKS_MAX],
            tick: 0,
            heard_micros: 0,
            size: 0,
        }
    }
}

impl SinkView {
    pub(crate) fn on_commit(&mut self, commit: &Commit, is_hungry: bool) {
        if !commit.is_committed {
            return;
        }
        let latency = commit.latency_micros();
        let size = commit.readings.min(SIZE_MAX) * SIZE_PARTS;
        self.size = self.size - self.size / SIZE_MEMORY + size / SIZE_MEMORY;
        self.heard_micros = commit.heard_micros;
        self.recent[self.next] = latency;
        self.next = (self.next + 1) % RECENT_COMMITS;
        self.known = (self.known + 1).min(RECENT_COMMITS);
        if is_hungry {
            self.base_since = commit.heard_micros;
        } else if commit.heard_micros.abs_diff(self.base_since) > BASE_SPAN_MICROS {
            self.base_before = self.base_now.take();
            self.base_since = commit.heard_micros;
        }
        self.base_now = Some(self.base_now.map_or(latency, |base| base.min(latency)));
    }

    pub(crate) fn on_tick(&mut self, seen: &Observation) {
        self.tick = (self.tick + 1) % TICKS_MAX;
        self.delivered[self.tick] = seen.commits.readings;
    }

    /// The latency of the sink at rest; 0 while nothing is known.
    pub(crate) fn base_micros(&self) -> u64 {
        self.base_now.into_iter().chain(self.base_before).min().unwrap_or(0)
    }

    /// How long a transaction waits in the sink for others; 0 until enough is known. If one is under way for longer than is
    /// usual, and none was decided since, that says so before any is.
    pub(crate) fn queue_micros(&self, seen: &Observation, usual_micros: u64) -> u64 {
        let base = self.base_micros();
        let usual = base.saturating_mul(2).saturating_add(usual_micros);
        let overdue = seen.in_flight_micros_max.min(self.silent_micros(seen.now)).saturating_sub(usual);
        if self.known < RECENT_COMMITS || base == 0 {
            return 0;
        }
        let least = self.recent.iter().copied().min().unwrap_or(0);
        least.saturating_sub(base).max(overdue)
    }

    /// How long a transaction of the usual size takes at a rate.
    pub(crate) fn transaction_micros(&self, rate_per_second: u64) -> u64 {
        self.size / SIZE_PARTS * 1_000_000 / rate_per_second.max(1)
    }

    /// Time since anything committed.
    pub(crate) fn silent_micros(&self, now: u64) -> u64 {
        now.saturating_sub(self.heard_micros)
    }

    /// The queue is not of this sink's users' making: it takes so long anyhow.
    pub(crate) fn accept_latency(&mut self) {
        self.base_now = self.recent.iter().copied().min();
        self.base_before = None;
        self.known = 0;
    }

    /// After a silence what was seen before it says nothing.
    pub(crate) fn forget_queue(&mut self) {
        self.known = 0;
    }

    /// Readings per second delivered of late: the most of the last few spans, each as long as frames of this size need to
    /// tell a rate.
    pub(crate) fn delivered(&self, frame_readings: u64, rate_per_second: u64) -> u64 {
        let needed = frame_readings.saturating_mul(FRAMES_KNOWN).saturating_mul(10) / rate_per_second.max(1);
        let ticks = needed.clamp(SPAN_TICKS_MIN, SPAN_TICKS_MAX) as usize;
        let span = |ago: usize| {
            let places = (ago..ago + ticks).map(|n| (self.tick + TICKS_MAX - n) % TICKS_MAX);
            places.fold(0u64, |sum, place| sum.saturating_add(self.delivered[place]))
        };
        let most = (0..SPANS).map(|n| span(n * ticks / 2)).max().unwrap_or(0);
        most.saturating_mul(10) / ticks as u64
    }

    /// Nothing was delivered within the longest span.
    pub(crate) fn is_still(&self) -> bool {
        self.delivered.iter().all(|readings| *readings == 0)
    }
}
