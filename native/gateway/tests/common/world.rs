//! Gateways, the devices' real stacks, a network that loses, doubles and reorders, a log with transactions and fences, and
//! processes that die, freeze and are believed dead.

use super::SECOND;
use super::chance::Chance;
use super::cluster::{Process, Pulse, processes};
use super::log::{Log, Ticket};
use klais_burst_sync::{Device, DeviceConfig, Event, Frame, Note, Outbox};
use klais_gateway::{GatewayConfig, Ingress, Outcome, SinkRequest, Submission};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What goes wrong until the world heals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub loss: u64,
    pub doubled: u64,
    pub jitter_micros: u64,
    /// Transactions whose outcome the gateway does not hear: some are committed, some not, some much later.
    pub unknown: u64,
    pub slow_commit_micros: u64,
}

/// Something that happens to a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blow {
    Kill,
    Start,
    Freeze,
    Wake,
    /// All others take it for dead, or for alive.
    Believed(bool),
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub gateway: GatewayConfig,
    pub device: DeviceConfig,
    pub devices: u32,
    pub faults: Faults,
    /// (when, gateway, what).
    pub blows: Vec<(u64, u32, Blow)>,
    /// (when, device, on).
    pub power: Vec<(u64, u32, bool)>,
    pub healed_at: u64,
    pub end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Heal,
    Blow(u32, Blow),
    Power(u32, bool),
    /// The log decides, and says so or not.
    Decide(Ticket, bool),
    Outcome(Ticket, u8),
    /// A shard is fenced for a gateway and an incarnation of it; then its log is read.
    Open(u32, u32, u32),
    Poll(u32),
    Up(u32, u32, usize),
    Down(u32, usize),
}

#[derive(Default)]
struct Told {
    frames: Vec<Frame>,
    lost: u64,
}

impl Outbox for Told {
    fn send(&mut self, frame: Frame) {
        self.frames.push(frame);
    }

    fn note(&mut self, note: Note) {
        if let Note::Lost(losses) = note {
            self.lost += u64::from(losses.overflow) + u64::from(losses.volatile);
        }
    }
}

pub struct World {
    pub(super) plan: Plan,
    pub(super) chance: Chance,
    pub(super) faults: Faults,
    pub(super) processes: Vec<Process>,
    pub(super) devices: Vec<Device>,
    pub log: Log,
    due: BinaryHeap<Reverse<(u64, u64, Due)>>,
    /// What waits for a frozen process.
    held: Vec<(u32, Due)>,
    pub(super) frames: Vec<Frame>,
    pub(super) lost: Vec<u64>,
    pub(super) produced: Vec<u64>,
    pub(super) on_since: Vec<Option<u32>>,
    pub(super) sequence: u64,
    pub acks: u64,
    pub admits: u64,
}

impl World {
    pub fn new(plan: Plan, seed: u64) -> Self {
        let count = plan.devices as usize;
        let mut world = Self {
            chance: Chance::new(seed),
            faults: plan.faults,
            processes: processes(&plan.gateway, plan.devices),
            devices: (0..plan.devices).map(|id| Device::online(&plan.device, id)).collect(),
            log: Log::default(),
            due: BinaryHeap::new(),
            held: Vec::new(),
            frames: Vec::new(),
            lost: vec![0; count],
            produced: vec![0; count],
            on_since: vec![Some(0); count],
            sequence: 0,
            acks: 0,
            admits: 0,
            plan,
        };
        world.log.assume_steady(world.plan.gateway.shards);
        world.schedule(world.plan.healed_at, Due::Heal);
        for (at, gateway, blow) in world.plan.blows.clone() {
            world.schedule(at, Due::Blow(gateway, blow));
        }
        for (at, id, on) in world.plan.power.clone() {
            world.schedule(at, Due::Power(id, on));
        }
        (0..world.plan.gateway.gateways).for_each(|n| world.schedule(0, Due::Poll(n)));
        world
    }

    pub fn run(mut self) -> Self {
        let mut events = 0u64;
        loop {
            let timer = self.devices.iter().zip(0u32..).map(|(d, id)| (d.deadline(), id)).min();
            let (timer, id) = timer.unwrap_or((u64::MAX, 0));
            let next = self.due.peek().map_or(u64::MAX, |Reverse((at, ..))| *at);
            let now = timer.min(next);
            if now > self.plan.end {
                break;
            }
            events += 1;
            assert!(events < 4_000_000, "a hot loop at {now}");
            if timer < next {
                self.fire(now, id, Event::Timer);
            } else if let Some(Reverse((_, _, due))) = self.due.pop() {
                self.handle(now, due);
            }
            (0..self.processes.len()).for_each(|n| self.collect(now, n as u32));
        }
        self.settle();
        self
    }

    fn schedule(&mut self, at: u64, due: Due) {
        self.sequence += 1;
        self.due.push(Reverse((at, self.sequence, due)));
    }

    fn handle(&mut self, now: u64, due: Due) {
        let meant_for = match due {
            Due::Outcome((gateway, ..), _) | Due::Open(gateway, ..) | Due::Poll(gateway) => Some(gateway),
            Due::Up(gateway, ..) => Some(gateway),
            _ => None,
        };
        if let Some(gateway) = meant_for {
            match self.processes[gateway as usize].pulse {
                Pulse::Running => {}
                Pulse::Frozen => return self.held.push((gateway, due)),
                Pulse::Dead => return,
            }
        }
        match due {
            Due::Heal => self.faults = Faults::default(),
            Due::Blow(gateway, blow) => self.blow(now, gateway, blow),
            Due::Power(id, on) => self.power(now, id, on),
            Due::Decide(ticket, told) => self.decide(now, ticket, told),
            Due::Outcome(ticket, outcome) => self.outcome(now, ticket, outcome),
            Due::Open(gateway, incarnation, shard) => self.open(now, gateway, incarnation, shard),
            Due::Poll(gateway) => self.processes[gateway as usize].gateway.poll(now),
            Due::Up(gateway, id, place) => self.up(now, gateway, id, place),
            Due::Down(id, place) => self.down(now, id, place),
        }
    }

    fn up(&mut self, now: u64, gateway: u32, id: u32, place: usize) {
        let frame = self.frames[place];
        let gateway = &mut self.processes[gateway as usize].gateway;
        match gateway.ingress(now, id, &frame) {
            Ingress::Accept => gateway.handle(now, id, &frame, ()),
            Ingress::Answer(answer) => self.send(now, id, answer, None),
            Ingress::Drop(_) => {}
        }
    }

    fn down(&mut self, now: u64, id: u32, place: usize) {
        let event = match self.frames[place] {
            Frame::Redirect { session, delay_millis, port, .. } => {
                Event::Redirected { session, gateway: port, delay_millis }
            }
            frame => Event::Frame(frame),
        };
        self.fire(now, id, event);
    }

    fn blow(&mut self, now: u64, n: u32, blow: Blow) {
        let gateways = self.plan.gateway.gateways;
        let process = &mut self.processes[n as usize];
        match blow {
            Blow::Kill => {
                process.pulse = Pulse::Dead;
                process.incarnation += 1;
                // What it had decided to send is gone with it.
                process.gateway.restart(now);
                process.gateway.take_transmits().for_each(drop);
                process.gateway.take_sink_requests().for_each(drop);
                assert!(process.gateway.is_idle());
                assert_eq!(process.gateway.stats().online, 0);
                self.held.retain(|(gateway, _)| *gateway != n);
            }
            Blow::Start if process.pulse == Pulse::Dead => {
                process.pulse = Pulse::Running;
                process.polled_at = u64::MAX;
                // It takes everybody for alive until it hears otherwise.
                (0..gateways).for_each(|member| process.gateway.set_member(now, member, true));
                process.gateway.poll(now);
            }
            Blow::Freeze if process.pulse == Pulse::Running => process.pulse = Pulse::Frozen,
            Blow::Wake if process.pulse == Pulse::Frozen => {
                process.pulse = Pulse::Running;
                let (mine, others) = std::mem::take(&mut self.held).into_iter().partition(|(g, _)| *g == n);
                self.held = others;
                let mine: Vec<(u32, Due)> = mine;
                mine.into_iter().for_each(|(_, due)| self.schedule(now, due));
                self.processes[n as usize].gateway.poll(now);
            }
            Blow::Start | Blow::Freeze | Blow::Wake => {}
            Blow::Believed(alive) => {
                for (other, process) in (0..).zip(&mut self.processes) {
                    if other != n && process.pulse != Pulse::Dead {
                        process.gateway.set_member(now, n, alive);
                    }
                }
            }
        }
    }

    fn power(&mut self, now: u64, id: u32, on: bool) {
        let config = &self.plan.device;
        let taken = config.schedule.taken(config.schedule.phase(id), now);
        if on {
            self.on_since[id as usize].get_or_insert(taken);
            let boot_micros = self.chance.below(SECOND);
            self.fire(now, id, Event::PowerOn { boot_micros });
            return;
        }
        if !config.sensing_backup {
            self.stop_sensing(id, taken);
        }
        self.fire(now, id, Event::PowerOff);
    }

    pub(super) fn stop_sensing(&mut self, id: u32, taken: u32) {
        if let Some(since) = self.on_since[id as usize].take() {
            self.produced[id as usize] += u64::from(taken - since);
        }
    }

    /// The log commits or aborts. Where the gateway is not told, it takes the transaction for failed after a time.
    fn decide(&mut self, now: u64, ticket: Ticket, told: bool) {
        let is_late = !told && self.chance.per_mille(300);
        if is_late {
            // It hangs, and is committed by itself unless a fence comes first.
            let later = now + self.chance.below(5 * SECOND);
            self.schedule(later, Due::Decide(ticket, true));
        }
        let committed = !is_late && (told || self.chance.per_mille(500)) && self.log.commit(ticket);
        if !committed && !is_late {
            self.log.abort(ticket);
        }
        let outcome = match (told, committed) {
            (true, true) => 0,
            (true, false) => 2,
            (false, _) => 1,
        };
        let wait = if told { 0 } else { self.chance.below(2 * SECOND) };
        self.schedule(now + wait, Due::Outcome(ticket, outcome));
    }

    fn outcome(&mut self, now: u64, (gateway, incarnation, batch): Ticket, outcome: u8) {
        let process = &mut self.processes[gateway as usize];
        if process.incarnation == incarnation {
            let outcomes = [Outcome::Committed, Outcome::Failed, Outcome::Fenced];
            process.gateway.sink_outcome(now, batch, outcomes[usize::from(outcome)]);
        }
    }

    fn open(&mut self, now: u64, n: u32, incarnation: u32, shard: u32) {
        let process = &mut self.processes[n as usize];
        if process.incarnation != incarnation {
            return;
        }
        if self.chance.per_mille(self.faults.unknown) {
            process.gateway.open_failed(now, shard);
            return;
        }
        process.generations.insert(shard, self.log.fence(shard));
        let checkpoints = self.log.checkpoints(shard, self.plan.gateway.shards);
        process.gateway.opened(now, shard, self.log.term(shard), checkpoints);
    }

    fn fire(&mut self, now: u64, id: u32, event: Event) {
        self.check_heard(id, &event);
        let mut told = Told::default();
        let device = &mut self.devices[id as usize];
        device.handle(&self.plan.device, id, now, event, &mut told);
        let gateway = u32::from(device.gateway());
        self.lost[id as usize] += told.lost;
        for frame in told.frames {
            self.send(now, id, frame, Some(gateway));
        }
    }

    /// Puts a frame on the wire: to a gateway, or to the device.
    fn send(&mut self, now: u64, id: u32, frame: Frame, up: Option<u32>) {
        if self.chance.per_mille(self.faults.loss) {
            return;
        }
        self.frames.push(frame);
        let place = self.frames.len() - 1;
        let due = up.map_or(Due::Down(id, place), |gateway| Due::Up(gateway, id, place));
        let latency = 20_000 + self.chance.below(self.faults.jitter_micros + 1);
        self.schedule(now + latency, due);
        if self.chance.per_mille(self.faults.doubled) {
            let late = self.chance.below(20 * self.faults.jitter_micros + 1);
            self.schedule(now + latency + late, due);
        }
    }

    /// Takes what a gateway has decided: requests to the log, frames to the network.
    fn collect(&mut self, now: u64, n: u32) {
        let process = &mut self.processes[n as usize];
        if process.pulse != Pulse::Running {
            return;
        }
        let requests: Vec<_> = process.gateway.take_sink_requests().collect();
        let incarnation = process.incarnation;
        for request in requests {
            match request {
                SinkRequest::Store(submission) => self.submit(n, submission),
                SinkRequest::Open { at, shard } => {
                    let latency = 30_000 + self.chance.below(self.faults.slow_commit_micros + 1);
                    self.schedule(at.max(now) + latency, Due::Open(n, incarnation, shard));
                }
                SinkRequest::Close { .. } => {}
            }
        }
        let transmits: Vec<_> = self.processes[n as usize].gateway.take_transmits().collect();
        for transmit in transmits {
            self.send(now, transmit.device, transmit.frame, None);
        }
        let process = &mut self.processes[n as usize];
        let next = process.gateway.next_deadline();
        assert!(next >= now, "left a deadline of {next} behind at {now}");
        if next != process.polled_at {
            process.polled_at = next;
            self.schedule(next, Due::Poll(n));
        }
        self.check_bounds(n);
    }

    fn submit(&mut self, n: u32, submission: Submission) {
        self.check_submission(&submission);
        let process = &self.processes[n as usize];
        let generation = process.generations.get(&submission.shard).copied().unwrap_or(0);
        let ticket = (n, process.incarnation, submission.batch);
        let at = submission.at;
        self.log.submit(ticket, generation, submission);
        let latency = 30_000 + self.chance.below(self.faults.slow_commit_micros + 1);
        let told = !self.chance.per_mille(self.faults.unknown);
        self.schedule(at + latency, Due::Decide(ticket, told));
    }
}
