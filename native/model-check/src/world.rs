//! The world, and what a step changes in it.

use crate::device::Device;
use crate::frame::Frame;
use crate::gateway::{Gateway, Phase};
use crate::log::{Checkpoint, Log, Runs};
use crate::setup::{DEVICES, GATEWAYS, Rule, Setup, Start};
use crate::steps::Step;
use std::array::from_fn;

/// A state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// Those beyond [`Setup::devices`] do nothing.
    pub devices: [Device; DEVICES],
    /// By number.
    pub gateways: [Gateway; GATEWAYS],
    /// What is durable.
    pub log: Log,
    /// What was sent and could still matter, each once, sorted.
    pub network: Vec<Frame>,
    /// Spent of [`Setup::crashes`].
    pub crashes: u8,
    /// Spent of [`Setup::power_cuts`].
    pub power_cuts: u8,
}

impl World {
    /// As it begins.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let mut log = Log::default();
        if setup.start == Start::Steady && setup.holds(Rule::FirstClaimIsNew) {
            log.term = Some(0);
        }
        if setup.start == Start::Worn {
            log.stored = [[0b1010, 0]; DEVICES];
            log.checkpoints = [[Some(Checkpoint { epoch: 0, session: 0, mark: 4 }), None]; DEVICES];
        }
        Self {
            devices: [Device::new(setup.start); DEVICES],
            gateways: from_fn(|number| Gateway::new(setup.start, number)),
            log,
            network: Vec::new(),
            crashes: 0,
            power_cuts: 0,
        }
    }

    /// Lets a step happen.
    pub fn apply(&mut self, step: Step, setup: &Setup) {
        for frame in self.change(step, setup) {
            if let Err(place) = self.network.binary_search(&frame) {
                self.network.insert(place, frame);
            }
        }
        self.sweep(setup);
    }

    /// Lets a step happen, and hands out what is sent by it in place of the network.
    pub fn change(&mut self, step: Step, setup: &Setup) -> Vec<Frame> {
        let mut out = Vec::new();
        match step {
            Step::Take { device } => self.devices[device as usize].take(device, setup, &mut out),
            Step::SayHello { device, gateway } => {
                self.devices[device as usize].say_hello(device, gateway, &mut out);
            }
            Step::Resend { device, lane } => {
                self.devices[device as usize].resend(device, lane, setup, &mut out);
            }
            Step::LosePower { device } => {
                self.power_cuts += 1;
                self.devices[device as usize].lose_power(setup);
            }
            Step::Down { frame } => {
                let id = frame.device();
                self.devices[id as usize].receive(id, frame, setup, &mut out);
            }
            Step::EndSession { device } => self.devices[device as usize].end_session(),
            _ => self.change_gateway(step, setup, &mut out),
        }
        out
    }

    fn change_gateway(&mut self, step: Step, setup: &Setup, out: &mut Vec<Frame>) {
        let (log, gateways) = (&mut self.log, &mut self.gateways);
        match step {
            Step::Up { frame, gateway } => gateways[gateway as usize].receive(frame, setup, out),
            Step::Open { gateway } => gateways[gateway as usize].open(log, setup),
            Step::Read { gateway } => gateways[gateway as usize].read(log, setup, out),
            Step::Submit { gateway, runs } => {
                let at = &mut gateways[gateway as usize];
                let runs = at.queue.drain(..usize::from(runs)).collect();
                at.submit(log, runs, setup);
            }
            Step::Prove { gateway } => {
                let at = &mut gateways[gateway as usize];
                at.claim = at.term;
                at.submit(log, Runs::new(), setup);
            }
            Step::Commit { heard } => self.commit(heard, setup, out),
            Step::Fenced { gateway } => gateways[gateway as usize] = Gateway::default(),
            Step::Crash { gateway } => {
                self.crashes += 1;
                gateways[gateway as usize] = Gateway::default();
            }
            Step::Finish => {
                if let Some(open) = &mut log.open {
                    open.is_complete = true;
                }
            }
            Step::AbortAndGoOn { gateway } => {
                log.has_stray_end |= log.open.take().is_some_and(|open| open.is_complete);
                let at = &mut gateways[gateway as usize];
                at.put_back();
                if at.claim.is_some() {
                    at.submit(log, Runs::new(), setup);
                }
            }
            Step::StrayEnd => {
                log.has_stray_end = false;
                log.commit(setup);
            }
            _ => {}
        }
    }

    fn commit(&mut self, heard: bool, setup: &Setup, out: &mut Vec<Frame>) {
        for run in self.log.open.iter().flat_map(|open| &open.runs) {
            // Filed under the present epoch, and taken in another one.
            let device = &self.devices[run.device as usize];
            self.log.wrong.identity |= run.epoch == device.epoch && run.base != device.base;
        }
        self.log.commit(setup);
        let producer = self.log.producer;
        for gateway in &mut self.gateways {
            if heard && gateway.producer == producer && gateway.awaits_outcome() {
                gateway.learn(out);
            }
        }
    }

    /// Takes out of the network what can change nothing any more.
    fn sweep(&mut self, setup: &Setup) {
        if !setup.holds(Rule::SessionSurvivesLoss) {
            return;
        }
        let mut network = std::mem::take(&mut self.network);
        network.retain(|frame| match *frame {
            Frame::Hello { gateway, .. } => (0..GATEWAYS)
                .any(|n| (n == gateway as usize || setup.any_gateway) && self.may_admit(n, frame)),
            Frame::Data { gateway, term, .. } => {
                let may_take = |n: usize| self.gateways[n].term == Some(term) || !terms_never_return(setup);
                (0..GATEWAYS).any(|n| (n == gateway as usize || setup.any_gateway) && may_take(n))
            }
            _ => self.devices[frame.device() as usize].may_heed(frame),
        });
        self.network = network;
    }

    /// Whether a gateway could heed a HELLO, now or later: neither what it knows nor what it may yet read is newer.
    fn may_admit(&self, gateway: usize, hello: &Frame) -> bool {
        let Frame::Hello { device, session, epoch, .. } = *hello else { return false };
        let (at, this) = (&self.gateways[gateway], (epoch, session));
        let entry = at.entries[device as usize];
        let is_refused = at.phase == Phase::Foreign || (entry.epoch, entry.session) > this;
        !is_refused || self.log.newest(device as usize).is_none_or(|stored| stored <= this)
    }

    /// Every reading is stored, or held, or was lost with a ring.
    #[must_use]
    pub fn nothing_is_missing(&self, setup: &Setup) -> bool {
        (0..setup.devices).all(|n| {
            let device = &self.devices[n];
            let accounted = self.log.readings(n) | device.lost;
            (0..device.taken).all(|reading| accounted & 1 << reading != 0 || device.holds(reading))
        })
    }
}

/// A gateway that has lost a term never has it again.
fn terms_never_return(setup: &Setup) -> bool {
    let broken =
        [Rule::DataNamesTerm, Rule::ClaimBeforeServing, Rule::OwnTermIsConfirmed, Rule::TermsAreWide];
    let steady = setup.start == Start::Steady && !setup.holds(Rule::FirstClaimIsNew);
    !steady && broken.iter().all(|rule| setup.holds(*rule))
}
