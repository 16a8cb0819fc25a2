//! A gateway, the devices' real stacks, a network that loses, doubles and reorders, a sink that commits or aborts, and
//! restarts in between.

use super::SECOND;
use super::chance::Chance;
use super::sink::Sink;
use klais_burst_sync::{Device, DeviceConfig, Event, Frame, Lane, Note, Outbox, State};
use klais_gateway::{Gateway, GatewayConfig, Ingress};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// What goes wrong until the world heals.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub loss: u64,
    pub doubled: u64,
    pub jitter_micros: u64,
    pub abort: u64,
    pub slow_commit_micros: u64,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub gateway: GatewayConfig,
    pub device: DeviceConfig,
    pub devices: u32,
    pub faults: Faults,
    pub restarts: Vec<u64>,
    /// (when, device, on).
    pub power: Vec<(u64, u32, bool)>,
    pub healed_at: u64,
    pub end: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Heal,
    Restart,
    Power(u32, bool),
    Outcome(u32),
    Poll,
    Up(u32, usize),
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
    plan: Plan,
    chance: Chance,
    faults: Faults,
    gateway: Gateway,
    devices: Vec<Device>,
    pub sink: Sink,
    due: BinaryHeap<Reverse<(u64, u64, Due)>>,
    frames: Vec<Frame>,
    in_flight: BTreeMap<u32, ()>,
    lost: Vec<u64>,
    produced: Vec<u64>,
    on_since: Vec<Option<u32>>,
    /// Of each device's last HELLO.
    sessions: Vec<u16>,
    polled_at: u64,
    sequence: u64,
    pub acks: u64,
    pub admits: u64,
}

impl World {
    pub fn new(plan: Plan, seed: u64) -> Self {
        let count = plan.devices as usize;
        let mut world = Self {
            chance: Chance::new(seed),
            faults: plan.faults,
            gateway: Gateway::new(plan.gateway.clone()).expect("a valid configuration"),
            devices: (0..plan.devices).map(|id| Device::online(&plan.device, id)).collect(),
            sink: Sink::default(),
            due: BinaryHeap::new(),
            frames: Vec::new(),
            in_flight: BTreeMap::new(),
            lost: vec![0; count],
            produced: vec![0; count],
            on_since: vec![Some(0); count],
            sessions: vec![1; count],
            polled_at: 0,
            sequence: 0,
            acks: 0,
            admits: 0,
            plan,
        };
        (0..world.plan.devices).for_each(|id| world.gateway.assume_online(id));
        world.schedule(world.plan.healed_at, Due::Heal);
        for at in world.plan.restarts.clone() {
            world.schedule(at, Due::Restart);
        }
        for (at, id, on) in world.plan.power.clone() {
            world.schedule(at, Due::Power(id, on));
        }
        world.schedule(0, Due::Poll);
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
            assert!(events < 2_000_000, "a hot loop at {now}");
            if timer < next {
                self.fire(now, id, Event::Timer);
            } else if let Some(Reverse((_, _, due))) = self.due.pop() {
                self.handle(now, due);
            }
            self.collect(now);
        }
        self.settle();
        self
    }

    fn schedule(&mut self, at: u64, due: Due) {
        self.sequence += 1;
        self.due.push(Reverse((at, self.sequence, due)));
    }

    fn handle(&mut self, now: u64, due: Due) {
        match due {
            Due::Heal => self.faults = Faults::default(),
            Due::Restart => self.restart(now),
            Due::Power(id, on) => self.power(now, id, on),
            Due::Outcome(batch) => self.outcome(now, batch),
            Due::Poll => self.gateway.poll(now),
            Due::Up(id, place) => self.up(now, id, place),
            Due::Down(id, place) => self.fire(now, id, Event::Frame(self.frames[place])),
        }
    }

    fn up(&mut self, now: u64, id: u32, place: usize) {
        let frame = self.frames[place];
        match self.gateway.ingress(now, id, &frame) {
            Ingress::Accept => self.gateway.handle(now, id, &frame),
            Ingress::Answer(answer) => self.send(now, id, answer, false),
            Ingress::Drop(_) => {}
        }
    }

    fn restart(&mut self, now: u64) {
        // A transaction under way when the process dies is fenced; it may have been committed just before.
        for batch in std::mem::take(&mut self.in_flight).into_keys() {
            if self.chance.per_mille(500) {
                self.sink.commit(batch);
                self.gateway.sink_outcome(now, batch, true);
            } else {
                self.sink.abort(batch);
            }
        }
        // What it had decided to send is gone with it.
        self.gateway.take_transmits().for_each(drop);
        for submission in self.gateway.take_submissions() {
            drop(submission);
        }
        self.gateway.restart(now);
        assert!(self.gateway.is_idle());
        assert_eq!(self.gateway.stats().online, 0);
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

    fn stop_sensing(&mut self, id: u32, taken: u32) {
        if let Some(since) = self.on_since[id as usize].take() {
            self.produced[id as usize] += u64::from(taken - since);
        }
    }

    fn outcome(&mut self, now: u64, batch: u32) {
        if self.in_flight.remove(&batch).is_none() {
            return;
        }
        let committed = !self.chance.per_mille(self.faults.abort);
        if committed {
            self.sink.commit(batch);
        } else {
            self.sink.abort(batch);
        }
        self.gateway.sink_outcome(now, batch, committed);
    }

    fn fire(&mut self, now: u64, id: u32, event: Event) {
        let mut told = Told::default();
        let device = &mut self.devices[id as usize];
        if let (Event::Frame(Frame::Admit(admit)), State::Connecting) = (event, device.state()) {
            self.admits += u64::from(admit.marks.is_some());
        }
        device.handle(&self.plan.device, id, now, event, &mut told);
        self.lost[id as usize] += told.lost;
        for frame in told.frames {
            if let Frame::Hello(hello) = frame {
                self.sessions[id as usize] = hello.session;
            }
            self.send(now, id, frame, true);
        }
    }

    fn send(&mut self, now: u64, id: u32, frame: Frame, up: bool) {
        if self.chance.per_mille(self.faults.loss) {
            return;
        }
        self.frames.push(frame);
        let place = self.frames.len() - 1;
        let due = if up { Due::Up(id, place) } else { Due::Down(id, place) };
        let latency = 20_000 + self.chance.below(self.faults.jitter_micros + 1);
        self.schedule(now + latency, due);
        if self.chance.per_mille(self.faults.doubled) {
            let late = self.chance.below(20 * self.faults.jitter_micros + 1);
            self.schedule(now + latency + late, due);
        }
    }

    /// Takes what the gateway has decided: transactions to the sink, frames to the network.
    fn collect(&mut self, now: u64) {
        let submissions: Vec<_> = self.gateway.take_submissions().collect();
        for submission in submissions {
            self.check_submission(&submission.entries);
            self.sink.submit(&submission);
            self.in_flight.insert(submission.batch, ());
            let latency = 30_000 + self.chance.below(self.faults.slow_commit_micros + 1);
            self.schedule(submission.at + latency, Due::Outcome(submission.batch));
        }
        let transmits: Vec<_> = self.gateway.take_transmits().collect();
        for transmit in transmits {
            self.check_answer(transmit.device, &transmit.frame);
            self.send(now, transmit.device, transmit.frame, false);
        }
        let next = self.gateway.next_deadline();
        assert!(next >= now, "left a deadline of {next} behind at {now}");
        if next != self.polled_at {
            self.polled_at = next;
            self.schedule(next, Due::Poll);
        }
        self.check_bounds();
    }

    fn check_submission(&self, entries: &[klais_gateway::SinkEntry]) {
        let config = &self.plan.gateway;
        let readings: u64 = entries.iter().map(|e| u64::from(e.count)).sum();
        let last = entries.last().map_or(0, |e| u64::from(e.count));
        assert!(readings - last < config.batch_readings_max, "{readings} readings in one transaction");
        assert!(self.in_flight.len() < config.producers * config.batches_in_flight_max);
        if config.slots {
            let lanes: Vec<u8> = entries.iter().map(|e| e.lane as u8).collect();
            assert!(lanes.is_sorted(), "backfill before live: {entries:?}");
        }
    }

    fn check_answer(&mut self, id: u32, frame: &Frame) {
        let committed = |lane| self.sink.mark(id, lane);
        match frame {
            Frame::Ack { lane, mark, .. } => {
                self.acks += 1;
                assert!(*mark <= committed(*lane), "{frame:?} to {id}, committed {}", committed(*lane));
            }
            Frame::Admit(admit) => {
                let marks = admit.marks.expect("a gateway that keeps marks");
                // Of a new epoch nothing is stored.
                let known = [(0, 0), (committed(Lane::Live), committed(Lane::Backfill))];
                let device = &self.devices[id as usize];
                let is_last = admit.session == self.sessions[id as usize];
                let awaited = is_last && device.state() == State::Connecting;
                assert!(!awaited || known.contains(&marks), "{frame:?} to {id}, committed {known:?}");
                if marks == (0, 0) {
                    self.sink.new_epoch(id);
                }
            }
            _ => {}
        }
    }

    fn check_bounds(&self) {
        let config = &self.plan.gateway;
        let frame = u64::from(self.plan.device.frame_readings);
        // What failed transactions give back comes on top of what may wait.
        let back =
            (config.producers * config.batches_in_flight_max) as u64 * (config.batch_readings_max + frame);
        let queued = self.gateway.stats().queued;
        assert!(queued <= config.sink_queue_readings + back, "{queued} readings wait");
        assert!(self.gateway.stats().queued_max <= config.sink_queue_readings);
    }

    fn settle(&mut self) {
        let plan = self.plan.clone();
        for id in 0..plan.devices {
            let n = id as usize;
            let taken = plan.device.schedule.taken(plan.device.schedule.phase(id), plan.end);
            self.stop_sensing(id, taken);
            let (held, lost) = self.devices[n].settle(&plan.device, id, plan.end);
            let (stored, lost) = (self.sink.count(id), self.lost[n] + u64::from(lost));
            let produced = self.produced[n];
            let account = format!("device {id}: took {produced}, stored {stored}, holds {held}, lost {lost}");
            assert!(stored <= produced, "{account}");
            assert!(stored + u64::from(held) + lost >= produced, "{account}");
            // All is quiet: what is held was taken since the last report.
            let per_report = plan.device.schedule.report_micros / plan.device.schedule.reading_micros;
            assert!(u64::from(held) <= per_report + 2, "{account}");
            if lost == 0 {
                assert!(stored + u64::from(held) <= produced + per_report + 2, "{account}");
            }
        }
    }
}
