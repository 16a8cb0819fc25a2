//! The model beside the code: all worlds that it may be in by what was seen.

use klais_burst_sync::{self as real, Lane};
use klais_gateway::Checkpoint;
use klais_model_check::{BACKFILL, Frame, LIVE, Link, Log, Run, Setup, Step, World};

/// More would mean that what is seen tells too little.
const WORLDS_MAX: usize = 1_024;

/// What can be seen of the code after a move.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Sent by it.
    pub frames: Vec<Sent>,
    pub devices: Vec<SeenDevice>,
    pub serves: Vec<bool>,
    /// What a gateway has handed to the log in this move: (gateway, runs).
    pub stored: Option<(usize, Vec<Stored>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenDevice {
    pub state: real::State,
    pub session: u8,
    pub term: u8,
    pub acked: [u8; 2],
    pub held: u8,
}

/// (device, lane, epoch, session, first, count)
pub type Stored = (u8, u8, u8, u8, u8, u8);

/// A frame, and the gateway that it is for or comes from.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub device: u8,
    pub gateway: u8,
    pub frame: real::Frame,
}

pub struct Mirror {
    pub setup: Setup,
    pub worlds: Vec<World>,
    /// Moves so far, for the case that one is not the model's.
    history: Vec<String>,
    /// The first move that is not.
    pub difference: Option<String>,
}

impl Mirror {
    pub fn new(setup: Setup) -> Self {
        Self { setup, worlds: vec![World::new(&setup)], history: Vec::new(), difference: None }
    }

    /// Some world that it may be in.
    pub fn world(&self) -> &World {
        &self.worlds[0]
    }

    /// The code has made a move: in each world one of the ways must lead to what is seen. `hellos`: all that were sent; a
    /// gateway may have kept one and answer it now.
    pub fn follow(&mut self, what: &str, ways: &[Vec<Step>], seen: &Seen, hellos: &[Frame]) {
        if self.difference.is_some() {
            return;
        }
        self.history.push(format!("{what} {ways:?} {:?}", seen.frames));
        let mut next: Vec<World> = Vec::new();
        for world in &self.worlds {
            for way in ways {
                if let Some(world) = self.go(world, way, seen, hellos)
                    && !next.contains(&world)
                {
                    next.push(world);
                }
            }
        }
        if next.is_empty() {
            let history = self.history.join("\n");
            let difference =
                format!("not a move of the model:\n{history}\n{seen:#?}\nfrom {:#?}", self.worlds);
            self.difference = Some(difference);
            return;
        }
        assert!(next.len() <= WORLDS_MAX, "{} worlds after {what}", next.len());
        self.worlds = next;
    }

    fn go(&self, world: &World, way: &[Step], seen: &Seen, hellos: &[Frame]) -> Option<World> {
        let mut world = world.clone();
        let mut said = world.network.clone();
        for step in way {
            said.extend(self.step(&mut world, *step));
        }
        for sent in &seen.frames {
            let Some(frame) = model_frame(sent, &world) else { continue };
            if said.contains(&frame) {
                continue;
            }
            let Frame::Admit { device, session, .. } = frame else { return None };
            let kept = hellos.iter().find(|hello| {
                matches!(hello, Frame::Hello { device: d, session: s, .. } if (*d, *s) == (device, session))
            })?;
            said.extend(self.step(&mut world, Step::Up { frame: *kept, gateway: sent.gateway }));
            if !said.contains(&frame) {
                return None;
            }
        }
        agrees(&world, seen).then_some(world)
    }

    fn step(&self, world: &mut World, step: Step) -> Vec<Frame> {
        let said = world.clone().change(step, &self.setup);
        world.apply(step, &self.setup);
        said
    }
}

fn agrees(world: &World, seen: &Seen) -> bool {
    let devices = seen.devices.iter().zip(&world.devices).all(|(seen, model)| {
        let online = (seen.state == real::State::Online) == (model.link == Link::Online);
        let held = (0..model.taken).filter(|n| model.holds(*n)).count() as u8;
        let marks = model.acked == seen.acked && held == seen.held;
        online && marks && (model.session, model.term) == (seen.session, seen.term)
    });
    let gateways = seen.serves.iter().zip(&world.gateways).all(|(seen, model)| *seen == model.serves());
    let stored = seen.stored.as_ref().is_none_or(|(gateway, runs)| {
        let of = |run: &Run| (run.device, run.lane, run.epoch, run.session, run.first, run.count);
        world.gateways[*gateway].in_flight.iter().map(of).eq(runs.iter().copied())
    });
    devices && gateways && stored
}

/// `None`: a frame that the model does without.
pub fn model_frame(sent: &Sent, world: &World) -> Option<Frame> {
    let Sent { device, gateway, frame } = *sent;
    Some(match frame {
        real::Frame::Hello(hello) => {
            Frame::Hello { device, gateway, session: small(hello.session), epoch: small(hello.epoch) }
        }
        real::Frame::Admit(admit) => {
            let (live, backfill) = admit.marks.expect("gateways keep marks");
            let marks = [small(live), small(backfill)];
            Frame::Admit { device, session: small(admit.session), term: small(admit.term.number()), marks }
        }
        real::Frame::Data(data) if data.count > 0 => {
            let (prev, first, count) = (small(data.prev), small(data.first), small(data.count));
            let (session, term, lane) = (small(data.session), data.term.number(), lane(data.lane));
            let base = world.devices[device as usize].base;
            Frame::Data { device, gateway, session, term, lane, prev, first, count, base }
        }
        real::Frame::Ack { session, lane: of, mark } => {
            Frame::Ack { device, session: small(session), lane: lane(of), mark: small(mark) }
        }
        real::Frame::Nack(nack) if nack.reason == real::NackReason::Gap => {
            Frame::Gap { device, session: small(nack.session), lane: lane(nack.lane), mark: small(nack.mark) }
        }
        _ => return None,
    })
}

/// What a gateway reads when it opens the shard.
pub fn checkpoints(log: &Log) -> Vec<Checkpoint> {
    let mut checkpoints = Vec::new();
    for (device, lanes) in (0..).zip(&log.checkpoints) {
        for (lane, stored) in [Lane::Live, Lane::Backfill].into_iter().zip(lanes) {
            checkpoints.extend(stored.map(|stored| {
                let (epoch, session, mark) = (stored.epoch.into(), stored.session.into(), stored.mark.into());
                Checkpoint { device, lane, epoch, session, mark }
            }));
        }
    }
    checkpoints
}

pub fn lane(lane: Lane) -> u8 {
    if lane == Lane::Live { LIVE } else { BACKFILL }
}

pub fn small(number: impl TryInto<u8>) -> u8 {
    number.try_into().ok().expect("walks are short")
}
