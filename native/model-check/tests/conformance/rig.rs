//! Real devices and real gateways, a network and a log that do what chance tells them, and the model beside them.

use crate::chance::Chance;
use crate::mirror::{Mirror, Seen, SeenDevice, Sent, checkpoints, lane, model_frame, small};
use crate::network::{Told, push, take};
use crate::plan::{Counts, Walk, device_config, gateway_config};
use klais_burst_sync::{Device, DeviceConfig, Event, Frame, NackReason, State, Term};
use klais_gateway::{Gateway, Outcome, SinkRequest, Submission};
use klais_model_check::{self as model, GATEWAYS, Setup, Start, Step};

const SECOND: u64 = 1_000_000;

/// A transaction that a gateway has not heard of again.
#[derive(Clone, Copy)]
struct Pending {
    gateway: usize,
    batch: u32,
    producer: u8,
    /// In the log, and its gateway is not told.
    is_silent: bool,
}

pub struct Rig {
    walk: Walk,
    chance: Chance,
    now: u64,
    config: DeviceConfig,
    devices: Vec<Device>,
    gateways: Vec<Gateway>,
    mirror: Mirror,
    hellos: Vec<model::Frame>,
    up: Vec<Sent>,
    down: Vec<Sent>,
    /// Gateways that have asked for the shard, and whether it is fenced for them yet.
    opens: Vec<(usize, bool)>,
    pending: Vec<Pending>,
    counts: Counts,
}

impl Rig {
    pub fn new(walk: Walk, seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let config = device_config(&mut chance, &walk);
        let setup = Setup {
            devices: walk.devices,
            readings: walk.readings,
            ring: walk.ring,
            frame_readings: config.frame_readings,
            window_frames: config.window_frames,
            start: walk.start,
            broken: walk.broken,
            ..Setup::SMALL
        };
        let is_steady = walk.start == Start::Steady;
        let gateway = |number| {
            let mut gateway =
                Gateway::new(gateway_config(number, walk.devices)).expect("a valid configuration");
            if is_steady {
                gateway.assume_steady();
                (0..walk.devices as u32).for_each(|device| gateway.assume_online(device));
            }
            gateway
        };
        let device = |id| if is_steady { Device::online(&config, id) } else { Device::off() };
        let mut rig = Self {
            now: 0,
            devices: (0..walk.devices as u32).map(device).collect(),
            gateways: (0..GATEWAYS as u32).map(gateway).collect(),
            mirror: Mirror::new(setup),
            hellos: Vec::new(),
            up: Vec::new(),
            down: Vec::new(),
            opens: Vec::new(),
            pending: Vec::new(),
            counts: Counts::default(),
            walk,
            chance,
            config,
        };
        for n in 0..GATEWAYS {
            for member in 0..GATEWAYS as u32 {
                rig.at_gateway(n, "member", &[vec![]], |gateway, now| gateway.set_member(now, member, true));
            }
        }
        if !is_steady {
            for id in 0..walk.devices {
                rig.fire(id, Event::PowerOn { boot_micros: SECOND }, &[vec![]], "power on");
            }
        }
        rig
    }

    /// The move that the model does not know, if there is one.
    pub fn run(mut self, moves: usize) -> Result<Counts, String> {
        for _ in 0..moves {
            if let Some(difference) = self.mirror.difference {
                return Err(difference);
            }
            if self.mirror.world().devices.iter().any(|device| device.taken + 1 >= self.walk.readings) {
                break;
            }
            match self.chance.below(100) {
                0..22 => self.let_time_pass(),
                22..50 => self.deliver_up(),
                50..70 => self.deliver_down(),
                70..95 => self.let_the_log_work(),
                95..97 => self.change_members(),
                97 => self.restart(),
                98 => self.cut_power(),
                _ => self.refuse(),
            }
            self.counts.moves += 1;
        }
        let log = &self.mirror.world().log;
        self.counts.stored = (0..self.walk.devices).map(|n| u64::from(log.readings(n).count_ones())).sum();
        self.counts.takeovers = self.gateways.iter().map(|gateway| gateway.stats().takeovers).sum();
        Ok(self.counts)
    }

    /// What can be seen, with what was sent in this move.
    fn seen(&self, frames: Vec<Sent>) -> Seen {
        let devices = self.devices.iter().zip(0..).map(|(device, id)| {
            let (live, backfill) = device.acked();
            let (held, _) = device.clone().settle(&self.config, id, self.now);
            SeenDevice {
                state: device.state(),
                session: small(device.session()),
                term: small(device.term().number()),
                acked: [small(live), small(backfill)],
                held: small(held),
            }
        });
        let serves = self.gateways.iter().map(|gateway| gateway.serves(0)).collect();
        Seen { frames, devices: devices.collect(), serves, stored: None }
    }

    fn follow(&mut self, what: &str, ways: &[Vec<Step>], seen: &Seen) {
        self.mirror.follow(what, ways, seen, &self.hellos);
    }

    fn let_time_pass(&mut self) {
        let until = self.now + self.chance.pick(&[1_000, 60_000, 150_000, 400_000, SECOND + 1_000]);
        loop {
            let reading = (0..self.walk.devices).map(|id| (self.next_reading(id), 0, id));
            let timer = self.devices.iter().zip(0..).map(|(device, id)| (device.deadline(), 1, id));
            let poll = self.gateways.iter().zip(0..).map(|(gateway, n)| (gateway.next_deadline(), 2, n));
            let Some((at, kind, n)) = reading.chain(timer).chain(poll).min() else { return };
            if at > until {
                self.now = until;
                return;
            }
            self.now = self.now.max(at);
            match kind {
                // The report that carries it is due with it.
                0 if self.devices[n].deadline() == at => {
                    self.fire_timer(n, &[Step::Take { device: small(n) }])
                }
                0 => {
                    let seen = self.seen(Vec::new());
                    self.follow("reading", &[vec![Step::Take { device: small(n) }]], &seen);
                }
                1 => self.fire_timer(n, &[]),
                _ => self.at_gateway(n, "poll", &[vec![]], |gateway, now| gateway.poll(now)),
            }
        }
    }

    fn next_reading(&self, id: usize) -> u64 {
        let taken = self.mirror.world().devices[id].taken;
        let phase = self.config.schedule.phase(id as u32);
        self.config.schedule.taken_at(phase, u32::from(taken))
    }

    fn fire_timer(&mut self, id: usize, first: &[Step]) {
        let device = small(id);
        let gateway = small(self.devices[id].gateway());
        let resend = |lane| Step::Resend { device, lane };
        let ways = [
            vec![],
            vec![resend(model::LIVE)],
            vec![resend(model::BACKFILL)],
            vec![resend(model::LIVE), resend(model::BACKFILL)],
            vec![Step::EndSession { device }],
            vec![Step::SayHello { device, gateway }],
        ];
        let ways = ways.map(|way| [first, &way].concat());
        self.fire(id, Event::Timer, &ways, "timer");
    }

    /// An event at a device: one of the ways must explain what it does.
    fn fire(&mut self, id: usize, event: Event, ways: &[Vec<Step>], what: &str) {
        let mut told = Told::default();
        self.devices[id].handle(&self.config, id as u32, self.now, event, &mut told);
        let gateway = small(self.devices[id].gateway());
        let sent: Vec<Sent> =
            told.0.into_iter().map(|frame| Sent { device: small(id), gateway, frame }).collect();
        let seen = self.seen(sent.clone());
        self.follow(what, ways, &seen);
        for sent in sent {
            let frame = model_frame(&sent, self.mirror.world());
            self.hellos.extend(frame.filter(|frame| matches!(frame, model::Frame::Hello { .. })));
            push(&mut self.up, sent);
        }
    }

    fn deliver_up(&mut self) {
        let Some(sent) = take(&mut self.up, &mut self.chance) else { return };
        let n = usize::from(sent.gateway);
        // What falls due before it is a move of its own.
        self.at_gateway(n, "poll", &[vec![]], |gateway, now| gateway.poll(now));
        let Some(frame) = model_frame(&sent, self.mirror.world()) else { return };
        let step = vec![Step::Up { frame, gateway: sent.gateway }];
        let ways = match sent.frame {
            _ if !self.gateways[n].serves(0) => vec![vec![]],
            Frame::Hello(_) => vec![step, vec![]],
            _ => vec![step],
        };
        self.at_gateway(n, "up", &ways, |gateway, now| {
            gateway.handle(now, sent.device.into(), &sent.frame, ())
        });
    }

    fn deliver_down(&mut self) {
        let Some(sent) = take(&mut self.down, &mut self.chance) else { return };
        let (id, device) = (usize::from(sent.device), sent.device);
        let event = match sent.frame {
            Frame::Redirect { session, port, delay_millis, .. } => {
                Event::Redirected { session, gateway: port, delay_millis }
            }
            frame => Event::Frame(frame),
        };
        let state = self.devices[id].state();
        let ways = match (model_frame(&sent, self.mirror.world()), sent.frame) {
            (Some(frame), _) if matches!(state, State::Online | State::Connecting) => {
                vec![vec![Step::Down { frame }]]
            }
            (None, Frame::Nack(nack)) if nack.reason == NackReason::NoSession => {
                vec![vec![], vec![Step::EndSession { device }]]
            }
            (None, Frame::Bye { .. }) => vec![vec![], vec![Step::EndSession { device }]],
            _ => vec![vec![]],
        };
        self.fire(id, event, &ways, "down");
    }

    /// Something is done to a gateway: one of the ways must explain it. What it hands to the log is a step of its own.
    fn at_gateway(&mut self, n: usize, what: &str, ways: &[Vec<Step>], act: impl FnOnce(&mut Gateway, u64)) {
        act(&mut self.gateways[n], self.now);
        let requests: Vec<SinkRequest> = self.gateways[n].take_sink_requests().collect();
        let gateway = small(n);
        let is_given_up = requests.iter().any(|request| matches!(request, SinkRequest::Close { .. }));
        let ways = if is_given_up { vec![vec![Step::Crash { gateway }]] } else { ways.to_vec() };
        let transmits = self.gateways[n].take_transmits();
        let sent: Vec<Sent> =
            transmits.map(|sent| Sent { device: small(sent.device), gateway, frame: sent.frame }).collect();
        self.counts.admits += sent.iter().filter(|sent| matches!(sent.frame, Frame::Admit(_))).count() as u64;
        let seen = self.seen(sent.clone());
        self.follow(what, &ways, &seen);
        sent.into_iter().for_each(|sent| push(&mut self.down, sent));
        for request in requests {
            match request {
                SinkRequest::Open { .. } => self.opens.push((n, false)),
                SinkRequest::Close { .. } => {}
                SinkRequest::Store(submission) => self.submit(n, &submission),
            }
        }
    }

    fn submit(&mut self, n: usize, submission: &Submission) {
        let gateway = small(n);
        let way = match submission.claim {
            Some(_) if self.gateways[n].serves(0) => vec![Step::Prove { gateway }],
            // Reading the checkpoints has brought it about.
            Some(_) => vec![],
            None => vec![Step::Submit { gateway, runs: small(submission.entries.len()) }],
        };
        let runs = submission.entries.iter().map(|entry| {
            let (device, lane) = (small(entry.device), lane(entry.lane));
            (device, lane, small(entry.epoch), small(entry.session), small(entry.first), small(entry.count))
        });
        let seen = Seen { stored: Some((n, runs.collect())), ..self.seen(Vec::new()) };
        self.follow("store", &[way], &seen);
        let producer = self.mirror.world().gateways[n].producer;
        self.pending.push(Pending { gateway: n, batch: submission.batch, producer, is_silent: false });
    }

    fn let_the_log_work(&mut self) {
        let work = self.opens.len() + self.pending.len();
        if work == 0 {
            return;
        }
        let place = self.chance.below(work as u64) as usize;
        match place.checked_sub(self.opens.len()) {
            None => self.open(place),
            Some(place) => self.decide(place),
        }
    }

    /// Fences, then reads: two moves, and each may fail.
    fn open(&mut self, place: usize) {
        let (n, is_fenced) = self.opens[place];
        let gateway = small(n);
        if self.chance.per_mille(100) {
            self.opens.remove(place);
            self.at_gateway(n, "open failed", &[vec![]], |gateway, now| gateway.open_failed(now, 0));
            return;
        }
        if !is_fenced {
            self.opens[place].1 = true;
            let seen = self.seen(Vec::new());
            self.follow("fence", &[vec![Step::Open { gateway }]], &seen);
            return;
        }
        self.opens.remove(place);
        let log = &self.mirror.world().log;
        let term = log.term.map(|term| Term::new(term.into()));
        let checkpoints = checkpoints(log);
        if self.gateways[n].serves(0) {
            self.counts.resumed += 1;
        }
        self.at_gateway(n, "read", &[vec![Step::Read { gateway }]], |gateway, now| {
            gateway.opened(now, 0, term, checkpoints);
        });
    }

    fn decide(&mut self, place: usize) {
        let Pending { gateway: n, batch, producer, is_silent } = self.pending[place];
        let gateway = small(n);
        let log = &self.mirror.world().log;
        let is_fenced = producer != log.producer;
        let is_open = log.open.is_some() && !is_fenced && !is_silent;
        let told = |outcome| move |gateway: &mut Gateway, now| gateway.sink_outcome(now, batch, outcome);
        match self.chance.below(10) {
            0..6 if is_open => {
                self.pending.remove(place);
                self.counts.commits += 1;
                self.at_gateway(
                    n,
                    "committed",
                    &[vec![Step::Commit { heard: true }]],
                    told(Outcome::Committed),
                );
            }
            6..8 if is_open => {
                self.pending[place].is_silent = true;
                self.counts.unknown += 1;
                let seen = self.seen(Vec::new());
                self.follow("committed in silence", &[vec![Step::Commit { heard: false }]], &seen);
            }
            0..8 if is_fenced => {
                self.pending.remove(place);
                self.counts.fenced += 1;
                self.at_gateway(n, "fenced", &[vec![Step::Fenced { gateway }]], told(Outcome::Fenced));
            }
            _ => {
                self.pending.remove(place);
                self.at_gateway(n, "failed", &[vec![]], told(Outcome::Failed));
            }
        }
    }

    fn change_members(&mut self) {
        let n = self.chance.below(GATEWAYS as u64) as usize;
        let (member, alive) = (self.chance.below(GATEWAYS as u64) as u32, self.chance.per_mille(800));
        let alive = alive || member as usize == n;
        self.at_gateway(n, "member", &[vec![]], |gateway, now| gateway.set_member(now, member, alive));
    }

    /// The process dies. What it had handed to the log may still be committed.
    fn restart(&mut self) {
        let n = self.chance.below(GATEWAYS as u64) as usize;
        self.opens.retain(|(gateway, _)| *gateway != n);
        self.pending.retain(|pending| pending.gateway != n);
        if self.chance.per_mille(300) && self.mirror.world().log.open.is_some() && self.pending.is_empty() {
            let seen = self.seen(Vec::new());
            self.follow("committed in silence", &[vec![Step::Commit { heard: false }]], &seen);
        }
        let way = vec![Step::Crash { gateway: small(n) }];
        self.at_gateway(n, "restart", &[way], |gateway, now| gateway.restart(now));
    }

    fn cut_power(&mut self) {
        let id = self.chance.below(self.walk.devices as u64) as usize;
        let device = small(id);
        self.fire(id, Event::PowerOff, &[vec![Step::LosePower { device }]], "power off");
        self.fire(id, Event::PowerOn { boot_micros: 200_000 }, &[vec![]], "power on");
    }

    fn refuse(&mut self) {
        let id = self.chance.below(self.walk.devices as u64) as usize;
        self.fire(id, Event::Refused, &[vec![], vec![Step::EndSession { device: small(id) }]], "refused");
    }
}
