//! What may happen in a world, and when.

use crate::device::Link;
use crate::frame::{BACKFILL, Frame, LIVE};
use crate::gateway::Phase;
use crate::setup::{GATEWAYS, Rule, Setup, Start};
use crate::world::World;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A device takes a reading; online it sends what it may.
    Take {
        /// Which.
        device: u8,
    },
    /// A device asks a gateway for a session: its turn has come, or it has waited in vain.
    SayHello {
        /// Which.
        device: u8,
        /// Whom.
        gateway: u8,
    },
    /// A device gives its session up and says nothing yet. Explored only as a part of `SayHello`, which ends a session too:
    /// between the two a device heeds nothing.
    EndSession {
        /// Which.
        device: u8,
    },
    /// A device sends again what a lane has not had acknowledged.
    Resend {
        /// Which.
        device: u8,
        /// Its lane.
        lane: u8,
    },
    /// A device loses its power and has it back.
    LosePower {
        /// Which.
        device: u8,
    },
    /// A copy of a frame arrives at its device.
    Down {
        /// What.
        frame: Frame,
    },
    /// A copy of a frame arrives at a gateway.
    Up {
        /// What.
        frame: Frame,
        /// Where.
        gateway: u8,
    },
    /// A gateway takes the shard, or has an error or no answer and takes it again: it fences.
    Open {
        /// Which.
        gateway: u8,
    },
    /// It reads the checkpoints.
    Read {
        /// Which.
        gateway: u8,
    },
    /// It hands a transaction to the log.
    Submit {
        /// Which.
        gateway: u8,
        /// So many from the front of its queue.
        runs: u8,
    },
    /// An owner without work commits its term again.
    Prove {
        /// Which.
        gateway: u8,
    },
    /// The open transaction is committed.
    Commit {
        /// Its gateway hears of it, or never does.
        heard: bool,
    },
    /// A gateway hears that it was fenced: it forgets the shard.
    Fenced {
        /// Which.
        gateway: u8,
    },
    /// A gateway's process dies and comes back, or it gives the shard up.
    Crash {
        /// Which.
        gateway: u8,
    },
    /// Without [`Rule::FenceAfterError`]: the marks of the open transaction are written, and its end is on its way.
    Finish,
    /// The same: after an error the transaction is aborted, and the producer goes on.
    AbortAndGoOn {
        /// Which.
        gateway: u8,
    },
    /// The same: the end of an aborted transaction arrives after all.
    StrayEnd,
}

impl World {
    /// What may happen now.
    pub fn steps(&self, setup: &Setup, steps: &mut Vec<Step>) {
        for n in 0..setup.devices {
            self.device_steps(n, setup, steps);
        }
        for n in 0..GATEWAYS {
            self.gateway_steps(n, setup, steps);
        }
        self.log_steps(steps);
        for frame in &self.network {
            self.frame_steps(*frame, setup, steps);
        }
    }

    fn device_steps(&self, n: usize, setup: &Setup, steps: &mut Vec<Step>) {
        let (device, at) = (n as u8, &self.devices[n]);
        if at.taken < setup.readings {
            steps.push(Step::Take { device });
        }
        if at.session < setup.sessions {
            steps.extend((0..GATEWAYS as u8).map(|gateway| Step::SayHello { device, gateway }));
        }
        for lane in [LIVE, BACKFILL] {
            if at.link == Link::Online && at.awaits(lane) {
                steps.push(Step::Resend { device, lane });
            }
        }
        if self.power_cuts < setup.power_cuts && at.session < setup.sessions {
            steps.push(Step::LosePower { device });
        }
    }

    fn gateway_steps(&self, n: usize, setup: &Setup, steps: &mut Vec<Step>) {
        let (gateway, at) = (n as u8, &self.gateways[n]);
        let may_fence = self.log.producer < setup.fences;
        // An owner proves itself whenever it likes, so that it may fail or learn that it is fenced without work, too.
        let hears = at.awaits_outcome() || at.phase == Phase::Serving && setup.holds(Rule::OwnerProvesItself);
        match at.phase {
            // Gateways are alike until one of them has been first.
            Phase::Foreign if n > 0 && self.log.producer == 0 && setup.start != Start::Steady => {}
            Phase::Foreign if may_fence => steps.push(Step::Open { gateway }),
            Phase::Opening | Phase::Reopening => steps.push(Step::Read { gateway }),
            Phase::Claiming | Phase::Serving if hears => self.outcomes(n, may_fence, setup, steps),
            _ => {}
        }
        if at.phase == Phase::Serving && !at.awaits_outcome() && !at.queue.is_empty() {
            let all = at.queue.len() as u8;
            let first = if setup.split { 1 } else { all };
            steps.extend((first..=all).map(|runs| Step::Submit { gateway, runs }));
        }
        if self.crashes < setup.crashes && at.phase != Phase::Foreign {
            steps.push(Step::Crash { gateway });
        }
    }

    /// What a gateway may hear of its transaction beside that it was committed.
    fn outcomes(&self, n: usize, may_fence: bool, setup: &Setup, steps: &mut Vec<Step>) {
        let (gateway, at) = (n as u8, &self.gateways[n]);
        let is_fenced = at.producer != self.log.producer;
        if is_fenced {
            steps.push(Step::Fenced { gateway });
        }
        // Without the rule, an abort that the log has taken is believed.
        let may_abort = !setup.holds(Rule::FenceAfterError) && !is_fenced && self.log.open.is_some();
        if may_abort && at.awaits_outcome() {
            steps.push(Step::AbortAndGoOn { gateway });
        } else if may_fence {
            steps.push(Step::Open { gateway });
        }
    }

    fn log_steps(&self, steps: &mut Vec<Step>) {
        let Some(open) = &self.log.open else { return };
        if open.is_complete {
            steps.push(Step::Commit { heard: false });
            if self.gateways.iter().any(|at| at.producer == self.log.producer && at.awaits_outcome()) {
                steps.push(Step::Commit { heard: true });
            }
        } else {
            steps.push(Step::Finish);
        }
        if self.log.has_stray_end {
            steps.push(Step::StrayEnd);
        }
    }

    fn frame_steps(&self, frame: Frame, setup: &Setup, steps: &mut Vec<Step>) {
        match frame {
            Frame::Hello { gateway: to, .. } | Frame::Data { gateway: to, .. } => {
                for gateway in 0..GATEWAYS as u8 {
                    if (gateway == to || setup.any_gateway) && self.gateways[gateway as usize].serves() {
                        steps.push(Step::Up { frame, gateway });
                    }
                }
            }
            _ => steps.push(Step::Down { frame }),
        }
    }
}
