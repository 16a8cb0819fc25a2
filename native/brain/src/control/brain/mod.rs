//! The brain's control of one gateway's share of a sink of unknown capacity.
//!
//! Three signals, all the gateway's own: how long transactions wait in the sink for others (the least of the last
//! latencies above the least of the last minute), how much the sink delivers, and whether it answers at all. The rate
//! rises while history waits and the sink's queue is short, a little at first and ever faster; it comes down to what was
//! delivered once the queue grows. Windowed minimum and delivery rate are those of BBR (Cardwell et al. 2016), holding
//! the queue at a delay is that of Swift (Kumar et al. 2020).

mod level;
mod sink;

use super::{Arrival, Commit, Decision, Lane, Level, Observation, Reason, UNLIMITED, Verdict};
use level::Ladder;
use sink::SinkView;

/// Growth per second while history waits, in millionths of the rate: at first after the queue has grown; while nothing
/// is known, and at most.
const GROWTH_LEAST: u64 = 10_000;
const GROWTH_MOST: u64 = 500_000;
/// The same until the sink's limit was met for the first time: live traffic alone proves little.
const GROWTH_STARTUP: u64 = 1_000_000;
/// It grows itself by a half every second, a tick's share of which is this.
const GROWTH_PER_TICK_MILLIONTHS: u64 = 41_000;
/// Where so many of the largest frames take more than a second, all of this is slower in proportion.
const GROWTH_FRAMES: u64 = 2;
/// What is left of the rate when the queue has grown, and where far less is delivered, in thousandths.
const CUT_PERMILLE: u64 = 950;
const CUT_FAR_PERMILLE: u64 = 850;
/// A queue that is too long by so much halves the rate, until it has drained; by less, in proportion.
const DRAIN_MICROS: u64 = 500_000;
/// After a failure, if a tenth of about so many transactions has failed: a single one may have other causes.
const FAILURE_MEMORY: u64 = 16;
const FAILURE_PARTS: u64 = 16_000;
const CUT_FAILURE_PERMILLE: u64 = 700;
/// After a silence.
const CUT_SILENCE_PERMILLE: u64 = 500;
/// The rate is at least this much above what was delivered, in thousandths: live readings go whatever it is.
const PROVEN_PERMILLE: u64 = 1_100;
/// The rate is made use of if so much of it is delivered, in thousandths.
const USED_PERMILLE: u64 = 850;
/// It grows on as long as so much of it is, in thousandths.
const FOLLOWED_PERMILLE: u64 = 600;
/// After so long without anything waiting, what was learnt may be out of date: growth begins as in the beginning.
const STALE_MICROS: u64 = 30_000_000;
/// So long after history has waited, the sink's queue is gone.
const CALM_MICROS: u64 = 10_000_000;
/// If the rate has come down to one of so many parts, and the queue is as long as before, the latency is a new one.
const STUBBORN_PARTS: u64 = 3;
/// Least pause between two cuts, and in multiples of the latency at rest.
const PAUSE_MICROS: u64 = 500_000;
const PAUSE_LATENCIES: u64 = 3;
/// The delay that the sink's queue is held at: half of the latency at rest, within these.
const TARGET_MICROS_MIN: u64 = 20_000;
const TARGET_MICROS_MAX: u64 = 2_000_000;
/// Chance is taken for no more than this.
const CALM_QUEUE_MICROS_MAX: u64 = 10_000_000;
/// Of what large frames add to it.
const TARGET_FRAME_MICROS_MAX: u64 = 1_000_000;
/// A sink with something to decide is silent after this, and so many latencies at rest.
const SILENCE_MICROS: u64 = 1_000_000;
const SILENCE_LATENCIES: u64 = 8;
const SILENCE_FRAMES: u64 = 4;
/// While live readings are thinned out, devices take turns for so long.
const TURN_MICROS: u64 = 60_000_000;

/// The rate is at least a frame in so many seconds.
const LEAST_FRAME_SECONDS: u64 = 4;
/// Of about so many slots it is known how many were missed; and so much more is promised at most, in thousandths.
const SLOT_MEMORY: u64 = 64;
const SLOT_PARTS: u64 = 64_000;
const OVERBOOK_MOST: u64 = 250;
/// Time constant of what is averaged, in ticks.
const LIVE_TICKS: u64 = 300;

const MILLION: u64 = 1_000_000;
/// No gateway takes in more in a second, and no frame holds more.
const RATE_MAX: u64 = 1_000_000_000;
const FRAME_MAX: u64 = 65_535;
const TICKS_PER_SECOND: u64 = 10;

/// What a gateway knows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrainConfig {
    /// Readings per second that it can take in at most, by its own means: the rate never rises above.
    pub ceiling_per_second: u64,
    /// Readings in the largest frame.
    pub frame_readings: u64,
    /// Readings that may wait for the sink.
    pub queue_readings: u64,
    /// Sessions that it opens per second.
    pub sessions_per_second: u64,
}

impl Default for BrainConfig {
    fn default() -> Self {
        Self {
            ceiling_per_second: u64::from(u32::MAX),
            frame_readings: 1,
            queue_readings: u64::from(u32::MAX),
            sessions_per_second: u64::from(u32::MAX),
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Brain {
    config: BrainConfig,
    sink: SinkView,
    ladder: Ladder,
    /// Millionths of a reading per second, so that small rates can grow by little.
    rate_millionths: u64,
    growth: u64,
    /// No cut before.
    next_cut: u64,
    /// When history waited last.
    hungry_micros: u64,
    /// The rate when the sink's queue was short for the last time.
    high_millionths: u64,
    /// How long the queue was at the last cut since it has grown, and how much too long it is now.
    cut_queue_micros: u64,
    excess_micros: u64,
    is_silent: bool,
    /// How many of the last transactions failed, in parts of `FAILURE_PARTS`.
    failing: u64,
    reason: Reason,
    /// Of the last slots, so many were missed, in parts of `SLOT_PARTS`.
    missed: u64,
    /// What chance adds to latencies, by the same measure as the queue, when no history waits.
    calm_micros: u64,
    /// Live readings per second, over about half a minute.
    live_millionths: u64,
    now: u64,
}

impl Brain {
    /// A brain that has seen nothing yet.
    #[must_use]
    pub fn new(config: BrainConfig) -> Self {
        let config = BrainConfig {
            ceiling_per_second: config.ceiling_per_second.clamp(1, RATE_MAX),
            frame_readings: config.frame_readings.clamp(1, FRAME_MAX),
            ..config
        };
        Self {
            config,
            sink: SinkView::default(),
            ladder: Ladder::default(),
            rate_millionths: MILLION,
            growth: GROWTH_STARTUP,
            next_cut: 0,
            hungry_micros: 0,
            high_millionths: MILLION,
            cut_queue_micros: 0,
            excess_micros: 0,
            is_silent: false,
            failing: 0,
            reason: Reason::Startup,
            missed: 0,
            calm_micros: 0,
            live_millionths: 0,
            now: 0,
        }
    }

    /// A transaction has been decided.
    pub fn on_commit(&mut self, commit: &Commit) {
        let is_hungry = self.now.saturating_sub(self.hungry_micros) < CALM_MICROS;
        self.sink.on_commit(commit, is_hungry);
        let outcome = if commit.is_committed { 0 } else { FAILURE_PARTS };
        self.failing += outcome / FAILURE_MEMORY;
        self.failing -= self.failing / FAILURE_MEMORY;
    }

    /// While live readings are thinned out, every second device is to come again later; they take turns.
    #[must_use]
    pub fn on_arrival(&self, arrival: &Arrival) -> Verdict {
        let is_thinned = self.ladder.level() == Level::LiveThinned && arrival.lane == Lane::Live;
        let turn = arrival.now / TURN_MICROS + u64::from(arrival.device);
        if is_thinned && turn.is_multiple_of(2) { Verdict::Refuse } else { Verdict::Accept }
    }

    /// Whether ticks in which nothing happens would change nothing.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let is_calm = self.ladder.level() == Level::Normal && !self.is_silent;
        is_calm && self.sink.is_still()
    }

    /// What is known of the sink: this gateway's share in readings per second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        (self.rate_millionths / MILLION).max(1)
    }

    /// A frame of the largest size every few seconds is no burden, and the least that tells anything of the sink.
    fn least_millionths(&self) -> u64 {
        self.config.frame_readings * MILLION / LEAST_FRAME_SECONDS
    }

    /// How long a frame of the largest size takes at this gateway's rate.
    fn frame_micros(&self) -> u64 {
        self.config.frame_readings * MILLION / self.rate()
    }

    /// The delay of the sink's queue that is aimed at: half of what it takes anyhow, what chance adds when nothing
    /// waits, and what comes in lumps: the time that
    /// half a frame or a transaction takes at this gateway's rate.
    fn target_micros(&self) -> u64 {
        let base = (self.sink.base_micros() / 2).clamp(TARGET_MICROS_MIN, TARGET_MICROS_MAX);
        let base = base + self.calm_micros * 2;
        let frame = (self.frame_micros() / 2).min(TARGET_FRAME_MICROS_MAX);
        let transaction = self.sink.transaction_micros(self.rate()).min(base * 2);
        base + frame.max(transaction)
    }

    /// A tick: what holds from now on.
    pub fn tick(&mut self, seen: &Observation) -> Decision {
        self.now = seen.now;
        self.count_slots(seen);
        self.sink.on_tick(seen);
        let live = seen.live.accepted.saturating_mul(TICKS_PER_SECOND).min(RATE_MAX);
        self.live_millionths = follow(self.live_millionths, live * MILLION);
        let delivered = self.sink.delivered(self.config.frame_readings, self.rate());
        let queue = self.sink.queue_micros(seen, self.frame_micros() + self.calm_micros);
        if seen.commits.committed > 0 && seen.now.saturating_sub(self.hungry_micros) >= CALM_MICROS {
            self.calm_micros = follow(self.calm_micros, queue.min(CALM_QUEUE_MICROS_MAX));
        }
        let target = self.target_micros();
        let is_hungry = seen.is_held_back;
        let is_used =
            is_hungry || delivered.saturating_mul(1_000) >= self.rate().saturating_mul(USED_PERMILLE);
        self.listen(seen);
        self.excess_micros = queue.saturating_sub(target);
        if queue <= target {
            self.high_millionths = self.rate_millionths;
            self.cut_queue_micros = 0;
        }
        if self.failing > FAILURE_PARTS / 10 && seen.commits.failed > 0 && self.may_cut() {
            self.cut(CUT_FAILURE_PERMILLE, self.rate_millionths, Reason::Failure);
        } else if queue > target && is_used && self.may_cut() {
            self.come_down(delivered, queue);
        } else if is_hungry && queue <= target && !self.is_silent && self.is_followed(delivered) {
            self.grow();
        }
        if is_hungry {
            self.hungry_micros = seen.now;
        } else if seen.now.saturating_sub(self.hungry_micros) > STALE_MICROS {
            self.growth = self.growth.max(GROWTH_MOST);
        }
        let proven = delivered.saturating_mul(PROVEN_PERMILLE * 1_000);
        if !is_hungry && queue <= target && proven > self.rate_millionths {
            self.rate_millionths = proven;
        }
        self.rate_millionths = self
            .rate_millionths
            .max(self.live_millionths)
            .max(self.least_millionths())
            .clamp(MILLION, self.config.ceiling_per_second * MILLION);
        let is_crowded = seen.live.queued > self.config.queue_readings / 2;
        let is_roomy = seen.live.queued < self.config.queue_readings / 4;
        let delay = if self.is_silent { u64::MAX } else { queue };
        self.ladder.climb(seen.now, delay, target, is_crowded, is_roomy);
        self.decide(target)
    }

    /// Who is promised a slot and does not come.
    fn count_slots(&mut self, seen: &Observation) {
        for (count, outcome) in [(seen.slots_missed, SLOT_PARTS), (seen.slots_kept, 0)] {
            for _ in 0..count.min(SLOT_MEMORY) {
                self.missed = self.missed - self.missed / SLOT_MEMORY + outcome / SLOT_MEMORY;
            }
        }
        // What rounding leaves is no share of 1.
        self.missed = self.missed.min(SLOT_PARTS / 2);
    }

    /// Whether the sink answers at all.
    fn listen(&mut self, seen: &Observation) {
        let base = self.sink.base_micros().saturating_mul(SILENCE_LATENCIES);
        let frames = self.frame_micros().saturating_mul(SILENCE_FRAMES);
        let limit = base.max(SILENCE_MICROS).saturating_add(frames);
        let waits = seen.in_flight_micros_max > limit;
        let silent = waits && self.sink.silent_micros(seen.now) > limit;
        if silent && !self.is_silent {
            self.sink.forget_queue();
            self.cut(CUT_SILENCE_PERMILLE, self.rate_millionths, Reason::Silence);
            // What it could do before the silence is still likely.
            self.growth = GROWTH_MOST;
        }
        self.is_silent = silent;
    }

    /// The deliveries follow the rate: if they lag behind, nothing is known of what it does to the sink.
    fn is_followed(&self, delivered: u64) -> bool {
        delivered.saturating_mul(1_000) >= self.rate().saturating_mul(FOLLOWED_PERMILLE)
    }

    fn may_cut(&self) -> bool {
        self.now >= self.next_cut
    }

    fn cut(&mut self, permille: u64, from_millionths: u64, reason: Reason) {
        self.rate_millionths = from_millionths / 1_000 * permille;
        self.growth = GROWTH_LEAST;
        self.next_cut = self.now.saturating_add(self.pause_micros());
        self.reason = reason;
    }

    /// The queue has grown: what was delivered meanwhile is this gateway's share. While the queue becomes shorter again, that
    /// is enough.
    fn come_down(&mut self, delivered: u64, queue: u64) {
        let is_shrinking = queue < self.cut_queue_micros;
        self.cut_queue_micros = queue;
        if is_shrinking {
            self.next_cut = self.now.saturating_add(self.pause_micros());
            return;
        }
        if self.rate_millionths < self.high_millionths / STUBBORN_PARTS {
            // Less and less is sent, and the delay stays: it is not this queue that makes it.
            self.sink.accept_latency();
            return;
        }
        let is_far_off = delivered.saturating_mul(1_000) < self.rate().saturating_mul(FOLLOWED_PERMILLE);
        let permille = if is_far_off { CUT_FAR_PERMILLE } else { CUT_PERMILLE };
        self.cut(permille, self.rate_millionths, Reason::Latency);
    }

    fn pause_micros(&self) -> u64 {
        self.sink.base_micros().saturating_mul(PAUSE_LATENCIES).max(PAUSE_MICROS)
    }

    fn grow(&mut self) {
        // What a sink makes of a rate shows after some frames only.
        let slowness = (self.frame_micros() * GROWTH_FRAMES).max(MILLION);
        let most = self.growth.max(GROWTH_MOST);
        let growth = self.growth.min(most * MILLION / slowness);
        // By live readings in part, which are about the same everywhere: so that shares become equal.
        let is_starting = self.growth >= GROWTH_MOST;
        let unit = if is_starting {
            self.rate_millionths
        } else {
            self.rate_millionths / 2 + self.live_millionths / 2
        };
        let more = unit / MILLION * growth / TICKS_PER_SECOND;
        self.rate_millionths = self.rate_millionths.saturating_add(more.max(1));
        let faster = self.growth * GROWTH_PER_TICK_MILLIONTHS / slowness;
        self.growth = self.growth.saturating_add(faster).min(most);
        self.reason = if self.growth >= GROWTH_MOST { Reason::Startup } else { Reason::Probe };
    }

    fn decide(&self, target: u64) -> Decision {
        let level = self.ladder.level();
        let drain = self.excess_micros.min(DRAIN_MICROS);
        let rate = (self.rate() - self.rate() / 2 * drain / DRAIN_MICROS).max(1);
        let latency = self.sink.base_micros().saturating_mul(2).saturating_add(target.saturating_mul(2));
        let in_flight = u128::from(rate) * u128::from(latency) / u128::from(MILLION);
        let in_flight = u64::try_from(in_flight).unwrap_or(UNLIMITED);
        let sessions = self.config.sessions_per_second;
        Decision {
            capacity_per_second: Some(rate),
            sessions_per_second: Some(if level == Level::LiveThinned {
                (sessions / 4).max(1)
            } else {
                sessions
            }),
            in_flight_readings_max: in_flight.saturating_add(self.config.frame_readings.saturating_mul(2)),
            is_history_open: level < Level::HistoryStopped,
            level,
            reason: self.reason,
            overbook_permille: Some(
                1_000 + (self.missed * 1_000 / (SLOT_PARTS - self.missed)).min(OVERBOOK_MOST),
            ),
            ..Decision::default()
        }
    }
}

/// Moves a little of the way towards `target`.
fn follow(value: u64, target: u64) -> u64 {
    if target >= value {
        value + (target - value) / LIVE_TICKS
    } else {
        value - (value - target) / LIVE_TICKS
    }
}
