//! The event loop, and what must hold after every event and at the end.

use super::chance::Chance;
use super::gateway::{Gateway, Rules};
use super::ledger::Ledger;
use super::network::{Network, Packet};
use super::plan::{Faults, Mode, Plan, Power};
use klais_burst_sync::{
    Backoff, BackoffKind, Device, DeviceConfig, Event, Frame, Lane, Note, Outbox, State, Storage,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug)]
enum Told {
    Frame(Frame),
    Note(Note),
}

#[derive(Default)]
struct Collect(Vec<Told>);

impl Outbox for Collect {
    fn send(&mut self, frame: Frame) {
        self.0.push(Told::Frame(frame));
    }

    fn note(&mut self, note: Note) {
        self.0.push(Told::Note(note));
    }
}

/// What a run came to, for the tests to sum up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    pub produced: u64,
    pub durable: u64,
    pub doubled: u64,
    pub lost: u64,
    pub sessions: u64,
    pub events: u64,
}

pub struct World {
    plan: Plan,
    chance: Chance,
    devices: Vec<Device>,
    ledgers: Vec<Ledger>,
    gateway: Gateway,
    network: Network,
    stored: usize,
    durable: Vec<BTreeSet<u32>>,
    newest: BTreeMap<(u32, u8), u32>,
    power: usize,
    outages: Vec<(u64, bool)>,
    faults: Faults,
    healed: bool,
    summary: Summary,
}

impl World {
    pub fn new(seed: u64, mode: Mode, rules: Rules) -> Self {
        let plan = Plan::new(seed, mode);
        let n = plan.devices as usize;
        let mut outages: Vec<(u64, bool)> =
            plan.down.iter().flat_map(|(from, to)| [(*from, false), (*to, true)]).collect();
        outages.reverse();
        let mut world = Self {
            chance: Chance::new(!seed),
            devices: Vec::new(),
            ledgers: (0..n).map(|_| Ledger::default()).collect(),
            gateway: Gateway::new(rules, plan.commit_micros),
            network: Network::new(plan.in_order, plan.latency_micros),
            stored: 0,
            durable: vec![BTreeSet::new(); n],
            newest: BTreeMap::new(),
            power: 0,
            outages,
            faults: plan.faults,
            healed: false,
            summary: Summary::default(),
            plan,
        };
        for id in 0..world.plan.devices {
            let device = if world.plan.begins_online {
                world.gateway.assume_online(id);
                world.ledgers[id as usize].sensor_on(0);
                Device::online(&world.plan.config, id)
            } else {
                wear(Device::off(), &world.plan.config, id, world.plan.hellos_before)
            };
            world.devices.push(device);
        }
        world
    }

    pub fn run(mut self) -> Summary {
        loop {
            let (timer, id) = (0..).zip(&self.devices).map(|(id, d)| (d.deadline(), id)).min().unwrap();
            let power = self.plan.power.get(self.power).map_or(u64::MAX, |p| p.0);
            let outage = self.outages.last().map_or(u64::MAX, |o| o.0);
            let healing = if self.healed { u64::MAX } else { self.plan.healed_at };
            let due = [power, outage, healing, self.network.next_at(), timer, self.gateway.next_at];
            let (now, kind) = due.into_iter().zip(0..).min().unwrap();
            if now > self.plan.end {
                break;
            }
            self.summary.events += 1;
            assert!(self.summary.events < 3_000_000, "a hot loop");
            match kind {
                0 => self.switch_power(now),
                1 => self.switch_gateway(now),
                2 => self.heal(),
                3 => self.deliver(now),
                4 => self.fire(now, id, Event::Timer),
                _ => self.gateway.tick(&mut self.chance, &self.faults, now),
            }
            self.account();
            self.forward(now);
        }
        self.settle()
    }

    fn heal(&mut self) {
        self.healed = true;
        self.faults = Faults::default();
        self.gateway.set_commit_micros(20_000);
    }

    fn switch_power(&mut self, now: u64) {
        let (_, id, power) = self.plan.power[self.power];
        self.power += 1;
        let config = &self.plan.config;
        let taken = config.schedule.taken(config.schedule.phase(id), now);
        let event = match power {
            Power::On { boot_micros } => {
                self.ledgers[id as usize].sensor_on(taken);
                Event::PowerOn { boot_micros }
            }
            Power::Off => {
                if !config.sensing_backup {
                    self.ledgers[id as usize].sensor_off(taken);
                }
                if config.storage == Storage::Volatile {
                    self.ledgers[id as usize].ring_lost();
                }
                Event::PowerOff
            }
        };
        self.fire(now, id, event);
    }

    fn switch_gateway(&mut self, now: u64) {
        if self.outages.pop().is_some_and(|(_, up)| up) {
            self.gateway.start(now);
        } else {
            self.gateway.die(&mut self.chance);
        }
    }

    fn deliver(&mut self, now: u64) {
        match self.network.pop() {
            Some(Packet::Up(id, _)) if self.gateway.next_at == u64::MAX => self.knock_in_vain(now, id),
            Some(Packet::Up(id, Frame::Hello(hello))) => {
                self.gateway.hello(&mut self.chance, &self.faults, id, hello);
            }
            Some(Packet::Up(id, Frame::Data(data))) => {
                self.gateway.data(&mut self.chance, &self.faults, id, data);
            }
            Some(Packet::Down(id, frame)) => self.fire(now, id, Event::Frame(frame)),
            Some(Packet::Refused(id)) => self.fire(now, id, Event::Refused),
            Some(Packet::Up(_, other)) => panic!("a device sent {other:?}"),
            None => {}
        }
    }

    /// Nobody listens: the network says so, or not.
    fn knock_in_vain(&mut self, now: u64, id: u32) {
        if self.chance.per_mille(500) {
            self.network.refuse(now, id);
        }
    }

    fn fire(&mut self, now: u64, id: u32, event: Event) {
        let config = self.plan.config;
        let device = &mut self.devices[id as usize];
        let was_due = device.deadline() <= now;
        let mut told = Collect::default();
        device.handle(&config, id, now, event, &mut told);
        let (state, deadline, acked) = (device.state(), device.deadline(), device.acked());
        match state {
            State::Off => assert_eq!(deadline, u64::MAX),
            _ => assert!(deadline > now || (was_due && event != Event::Timer), "{event:?}: {deadline}"),
        }
        let ledger = &mut self.ledgers[id as usize];
        ledger.acked(acked, &self.durable[id as usize]);
        let taken = config.schedule.taken(config.schedule.phase(id), now);
        let mut backfill_began = false;
        for told in told.0 {
            match told {
                Told::Note(Note::Connected { .. }) => {
                    let Event::Frame(Frame::Admit(admit)) = event else { panic!("connected by {event:?}") };
                    ledger.connected(admit.credit);
                    self.summary.sessions += 1;
                }
                Told::Note(Note::Lost(losses)) => ledger.lost(losses.overflow, losses.volatile),
                Told::Note(Note::Disconnected) => {}
                Told::Frame(frame) => {
                    if let Frame::Data(data) = &frame {
                        backfill_began |= data.lane == Lane::Backfill;
                        let waits = backfill_began && data.lane == Lane::Live;
                        assert!(!waits || !config.live_first, "live behind backfill: {data:?}");
                        ledger.data(&config, data, taken, acked);
                    }
                    self.network.send(&mut self.chance, &self.faults, now, Packet::Up(id, frame));
                }
            }
        }
        if self.chance.per_mille(self.faults.reset) {
            self.network.refuse(now, id);
        }
    }

    /// Looks at what the gateway has stored since the last time.
    fn account(&mut self) {
        for (id, lane, reading) in &self.gateway.durable[self.stored..] {
            let new = self.durable[*id as usize].insert(*reading);
            self.summary.doubled += u64::from(!new);
            let newest = self.newest.insert((*id, *lane as u8), *reading);
            if self.plan.mode == Mode::Marks {
                assert!(new, "reading {reading} of device {id} is durable twice ({lane:?})");
                assert!(newest.is_none_or(|n| n < *reading), "{lane:?} of device {id} out of order");
            }
        }
        self.stored = self.gateway.durable.len();
    }

    fn forward(&mut self, now: u64) {
        for (id, frame) in std::mem::take(&mut self.gateway.out) {
            self.network.send(&mut self.chance, &self.faults, now, Packet::Down(id, frame));
        }
    }

    fn settle(mut self) -> Summary {
        let (config, end) = (self.plan.config, self.plan.end);
        for id in 0..self.plan.devices {
            let ledger = &mut self.ledgers[id as usize];
            let device = &mut self.devices[id as usize];
            let phase = config.schedule.phase(id);
            let taken = config.schedule.taken(phase, end);
            ledger.sensor_off(taken);
            assert_eq!(device.state(), State::Online, "device {id} never came back");
            let (held, lost_now) = device.settle(&config, id, end);
            ledger.lost(lost_now, 0);
            let reported_at =
                config.schedule.next_report(phase, end - 3_000_000) - config.schedule.report_micros;
            let fresh = taken - config.schedule.taken(phase, reported_at);
            assert!(held <= fresh, "device {id} holds {held}, of which {fresh} are fresh");

            let durable = &self.durable[id as usize];
            // Stored, and the ACK is on its way.
            let held = held - durable.range(taken - held..).count() as u32;
            let phantom = durable.iter().find(|r| !ledger.was_produced(**r));
            assert_eq!(phantom, None, "stored, never taken");
            let (produced, stored) = (ledger.produced(), durable.len() as u64);
            let stated = ledger.overflow + ledger.volatile;
            assert!(stored + u64::from(held) <= produced, "{stored} + {held} > {produced}");
            let lost = produced - stored - u64::from(held);
            assert!(
                lost <= stated,
                "device {id} lost {lost}, stated {stated} (produced {produced}, held {held})"
            );
            let roomy = config.buffer_readings == u16::MAX && config.sensing_backup;
            if config.storage == Storage::Flash && roomy {
                assert_eq!(stated, 0, "lost from flash without overflow");
            }
            assert!(config.storage == Storage::Volatile || ledger.volatile == 0);
            self.summary.produced += produced;
            self.summary.durable += stored;
            self.summary.lost += lost;
        }
        self.summary
    }
}

/// Spends HELLOs on nobody, so that session numbers are about to wrap.
fn wear(mut device: Device, config: &DeviceConfig, id: u32, hellos: u32) -> Device {
    let backoff = Backoff { kind: BackoffKind::None, base_micros: 1, cap_micros: 1 };
    let config = DeviceConfig { backoff, storage: Storage::Flash, sensing_backup: false, ..*config };
    if hellos == 0 {
        return device;
    }
    let mut out = Collect::default();
    device.handle(&config, id, 0, Event::PowerOn { boot_micros: 1 }, &mut out);
    for _ in 0..hellos {
        let now = device.deadline();
        device.handle(&config, id, now, Event::Timer, &mut out);
        device.handle(&config, id, now, Event::Refused, &mut out);
    }
    device.handle(&config, id, 0, Event::PowerOff, &mut out);
    device
}
