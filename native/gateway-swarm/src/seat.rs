//! A gateway's place in the swarm.

use crate::attempts::Attempts;
use crate::census::Census;
use crate::observe::SWEEP_STEPS_PER_WINDOW;
use klais_gateway::{Gateway, Payload};
use klais_swarm::{Change, Event, Load, Observation, Swarm};
use klais_units::{MICROS_PER_SECOND, NANOS_PER_MICRO};

const MICROS_PER_MILLI: u64 = 1_000;

/// What a seat is made for.
#[derive(Clone, Copy, Debug)]
pub struct SeatConfig {
    /// Its gateway's number.
    pub gateway: u32,
    /// Gateways of the cluster.
    pub gateways: u32,
    /// Devices of the fleet.
    pub devices: u32,
    /// Whether devices are judged at all.
    pub judges: bool,
    /// The window of the detection, in microseconds of the swarm's time.
    pub window_micros: u64,
}

/// See the module. Times are those of the swarm, in microseconds, unless said otherwise.
pub struct Seat {
    /// The swarm itself.
    pub swarm: Swarm,
    pub(crate) census: Census,
    pub(crate) attempts: Attempts,
    pub(crate) judges: bool,
    pub(crate) devices: u32,
    /// The next step of the sweep over the filter's words, and when it is due.
    pub(crate) sweep: (u64, u64),
    pub(crate) sweep_step_micros: u64,
    /// The gateway's time, readings admitted by then, and the rate at that time.
    admitted: (u64, u64, u32),
}

impl Seat {
    /// Takes a seat at `now`.
    #[must_use]
    pub fn new(swarm: Swarm, config: SeatConfig, now: u64) -> Self {
        Self {
            swarm,
            census: Census::new(config.gateway as usize, config.gateways as usize, now),
            attempts: Attempts::new(config.devices),
            judges: config.judges,
            devices: config.devices,
            sweep: (0, now),
            sweep_step_micros: config.window_micros.div_ceil(SWEEP_STEPS_PER_WINDOW),
            admitted: (0, 0, 0),
        }
    }

    /// Whether devices are judged here.
    #[must_use]
    pub fn judges(&self) -> bool {
        self.judges
    }

    /// Who is taken for alive, by number.
    #[must_use]
    pub fn alive(&self) -> &[bool] {
        self.census.alive()
    }

    /// When there is something to do, whatever comes.
    #[must_use]
    pub fn next_deadline(&self, now: u64) -> u64 {
        let due = self.swarm.next_deadline();
        self.census.next_deadline(now).map_or(due, |settled| settled.min(due))
    }

    /// The gateway has seen this.
    pub fn tell(&mut self, now: u64, observation: Observation) {
        if self.judges {
            self.swarm.observe(now, observation);
        }
    }

    /// Says what the gateway's load is, at `now_gateway` of its own time, in which rates and waits are told.
    pub fn tell_load<P: Payload>(&mut self, now_gateway: u64, gateway: &Gateway<P>) {
        let nanos = now_gateway.saturating_mul(NANOS_PER_MICRO);
        let (stats, dam) = (gateway.stats(), gateway.dam());
        let (since, before, _) = self.admitted;
        let elapsed = now_gateway.saturating_sub(since);
        if elapsed >= MICROS_PER_SECOND {
            let readings = u128::from(stats.admitted.saturating_sub(before));
            let per_second = readings * u128::from(MICROS_PER_SECOND) / u128::from(elapsed);
            self.admitted = (now_gateway, stats.admitted, u32::try_from(per_second).unwrap_or(u32::MAX));
        }
        let capped = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let millis = |nanos: u64| capped(nanos / NANOS_PER_MICRO / MICROS_PER_MILLI);
        self.swarm.set_load(Load {
            capacity_per_second: capped(gateway.capacity_per_second()),
            admitted_per_second: self.admitted.2,
            queued_readings: capped(stats.queued),
            session_slots_millis: millis(dam.session_queue_nanos(nanos)),
            backfill_slots_millis: millis(dam.backfill_queue_nanos(nanos)),
        });
    }

    /// Takes what has become of members. Where the others had given this gateway up, it makes sure of its shards, at
    /// `now_gateway` of its own time: whoever took one has fenced this process, and what it knows of that one may be old.
    pub fn take_events<P: Payload>(&mut self, now_gateway: u64, gateway: &mut Gateway<P>) -> Vec<Event> {
        let events = self.swarm.take_events();
        for _ in events.iter().filter(|event| event.change == Change::Expelled) {
            gateway.doubt(now_gateway);
        }
        events
    }

    /// Shares the shards out among those who are taken for alive, at `now_gateway` of the gateway's time: whose turn it is
    /// now, or not any more.
    pub fn take_census<P: Payload>(
        &mut self,
        now: u64,
        now_gateway: u64,
        gateway: &mut Gateway<P>,
    ) -> Vec<(u32, bool)> {
        let states = self.swarm.members(now).map(|member| member.state);
        let sees_majority = self.swarm.sees_majority();
        let changes = self.census.update(now, states, sees_majority, gateway.stats().fenced);
        for (member, alive) in &changes {
            gateway.set_member(now_gateway, *member, *alive);
        }
        changes
    }
}
