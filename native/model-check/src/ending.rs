//! What becomes of a world in which nothing fails any more.
//!
//! A model checker's "eventually" is of little use here: a device may send again and again, so there are cycles on which
//! nothing ever happens. Instead each state is followed along one fair schedule: what is sent arrives, in order; timers run
//! out when nothing else is left to do; the log commits; all agree who is to own the shard. After a bounded number of
//! rounds the world must have come to rest with every reading durable and every device knowing it.

use crate::device::Link;
use crate::frame::{BACKFILL, Frame, LIVE};
use crate::gateway::{Gateway, Phase};
use crate::setup::{DEVICES, Rule, Setup};
use crate::steps::Step;
use crate::world::World;
use ahash::{AHashSet, RandomState};
use std::sync::{Mutex, PoisonError};

/// Rounds of timers after which a world counts as stuck: several times what the longest way takes.
const ROUNDS_MAX: u32 = 40;
/// A device sends so often again, then gives its session up.
const RESENT_MAX: u8 = 3;
/// After so many HELLOs in a row without an answer a device tries the next gateway.
const UNANSWERED_MAX: u8 = 2;

/// How it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ending {
    /// The gateway that is to own the shard, as all agree from now on.
    pub owner: u8,
    /// The other one answers nobody; else it gives the shard up, if it has it, and sends devices to the owner.
    pub other_is_dead: bool,
    /// What is on its way arrives; else it is lost.
    pub arrives: bool,
}

/// All of them.
pub const ENDINGS: [Ending; 6] = [
    Ending { owner: 0, other_is_dead: false, arrives: false },
    Ending { owner: 1, other_is_dead: false, arrives: false },
    Ending { owner: 0, other_is_dead: true, arrives: false },
    Ending { owner: 1, other_is_dead: true, arrives: false },
    Ending { owner: 0, other_is_dead: false, arrives: true },
    Ending { owner: 1, other_is_dead: false, arrives: true },
];

/// Worlds that are known to come to rest: many states lead to the same ones.
#[derive(Debug)]
pub struct Known {
    keys: RandomState,
    fingerprints: Mutex<AHashSet<u64>>,
}

impl Default for Known {
    fn default() -> Self {
        Self { keys: RandomState::with_seeds(1, 2, 3, 4), fingerprints: Mutex::default() }
    }
}

impl Known {
    fn contains(&self, world: u64) -> bool {
        self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner).contains(&world)
    }

    fn extend(&self, worlds: Vec<u64>) {
        self.fingerprints.lock().unwrap_or_else(PoisonError::into_inner).extend(worlds);
    }
}

/// Hears of each step and what came of it.
pub type Story<'a> = &'a mut dyn FnMut(Step, &World);

/// Whether the world comes to rest with everything durable.
pub fn finishes(world: &World, ending: Ending, setup: &Setup, known: &Known, story: Story) -> bool {
    let mut calm = Calm::new(world, ending, setup, story);
    let mut passed = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let here = calm.fingerprint(known);
        if known.contains(here) {
            known.extend(passed);
            return true;
        }
        passed.push(here);
        if calm.is_at_rest() {
            known.extend(passed);
            return true;
        }
        calm.round();
    }
    false
}

struct Calm<'a, 'b> {
    world: World,
    ending: Ending,
    /// HELLOs in a row without an answer.
    unanswered: [u8; DEVICES],
    /// Times that a device has sent again since it last heard something new.
    resent: [u8; DEVICES],
    is_proven: bool,
    setup: &'a Setup,
    story: Story<'b>,
}

impl<'a, 'b> Calm<'a, 'b> {
    fn new(world: &World, ending: Ending, setup: &'a Setup, story: Story<'b>) -> Self {
        let mut world = world.clone();
        let other = usize::from(1 - ending.owner);
        world.gateways[other] = Gateway::default();
        (world.crashes, world.power_cuts) = (0, 0);
        let on_its_way = std::mem::take(&mut world.network);
        let (unanswered, resent) = ([0; DEVICES], [0; DEVICES]);
        let mut calm = Self { world, ending, unanswered, resent, is_proven: false, setup, story };
        if ending.arrives {
            calm.deliver(on_its_way);
        }
        calm
    }

    fn fingerprint(&self, known: &Known) -> u64 {
        known.keys.hash_one((&self.world, self.ending, self.unanswered, self.resent, self.is_proven))
    }

    fn is_at_rest(&self) -> bool {
        self.world.network.is_empty() && (0..self.setup.devices).all(|n| self.is_content(n))
    }

    /// Online, and nothing is left that it could send.
    fn is_content(&self, n: usize) -> bool {
        let device = &self.world.devices[n];
        device.link == Link::Online && !(0..device.taken).any(|reading| device.holds(reading))
    }

    fn apply(&mut self, step: Step) {
        self.world.apply(step, self.setup);
        (self.story)(step, &self.world);
    }

    fn round(&mut self) {
        self.settle();
        for n in 0..self.setup.devices {
            if !self.is_content(n) {
                self.fire_timer(n);
            }
        }
        self.settle();
    }

    /// Until nothing is on its way and the owner has nothing to do.
    fn settle(&mut self) {
        loop {
            let on_its_way = std::mem::take(&mut self.world.network);
            if !on_its_way.is_empty() {
                self.deliver(on_its_way);
            } else if let Some(step) = self.next_of_owner() {
                self.apply(step);
            } else {
                return;
            }
        }
    }

    fn next_of_owner(&mut self) -> Option<Step> {
        let gateway = self.ending.owner;
        let (at, log) = (&self.world.gateways[gateway as usize], &self.world.log);
        match at.phase {
            Phase::Foreign => return Some(Step::Open { gateway }),
            Phase::Opening | Phase::Reopening => return Some(Step::Read { gateway }),
            Phase::Claiming | Phase::Serving => {}
        }
        if at.awaits_outcome() {
            return Some(match &log.open {
                _ if at.producer != log.producer => Step::Fenced { gateway },
                Some(open) if open.is_complete => Step::Commit { heard: true },
                Some(_) => Step::Finish,
                // Committed or aborted, and the answer was lost.
                None => Step::Open { gateway },
            });
        }
        if !at.queue.is_empty() {
            return Some(Step::Submit { gateway, runs: at.queue.len() as u8 });
        }
        let must_prove = self.setup.holds(Rule::OwnerProvesItself) && !self.is_proven;
        self.is_proven = true;
        must_prove.then_some(Step::Prove { gateway })
    }

    fn deliver(&mut self, frames: Vec<Frame>) {
        for frame in frames {
            let n = frame.device() as usize;
            match frame {
                Frame::Hello { gateway, .. } | Frame::Data { gateway, .. } => {
                    if self.world.gateways[gateway as usize].serves() {
                        self.apply(Step::Up { frame, gateway });
                    } else if gateway != self.ending.owner && !self.ending.other_is_dead {
                        // REDIRECT.
                        self.world.devices[n].gateway = self.ending.owner;
                        self.unanswered[n] = 0;
                    }
                }
                _ => {
                    let before = self.world.devices[n];
                    self.apply(Step::Down { frame });
                    if self.world.devices[n] != before {
                        (self.unanswered[n], self.resent[n]) = (0, 0);
                    }
                }
            }
        }
    }

    fn fire_timer(&mut self, n: usize) {
        let (device, at) = (n as u8, &self.world.devices[n]);
        if at.link == Link::Online && self.resent[n] < RESENT_MAX {
            self.resent[n] += 1;
            self.apply(Step::Resend { device, lane: LIVE });
            self.apply(Step::Resend { device, lane: BACKFILL });
            return;
        }
        let mut gateway = at.gateway;
        self.unanswered[n] += u8::from(at.link == Link::Connecting);
        if self.unanswered[n] >= UNANSWERED_MAX {
            gateway = 1 - gateway;
            self.unanswered[n] = 0;
        }
        self.resent[n] = 0;
        self.apply(Step::SayHello { device, gateway });
    }
}
