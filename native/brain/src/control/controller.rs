//! One of several controllers, by its name.

use super::peers::{CapacityFrom, Peer, PeerConfig, PeerKind};
use super::{Arrival, Brain, BrainConfig, Commit, Decision, Observation, Verdict};
use alloc::boxed::Box;

/// Which controller, and what it is told when it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ControllerConfig {
    /// The capacity is configured, and nothing is learnt.
    #[default]
    Fixed,
    /// One of those that the brain is held against.
    Peer(PeerConfig),
    /// The share of the sink is learnt.
    Brain(BrainConfig),
}

impl ControllerConfig {
    /// What [`ControllerConfig::from_name`] knows.
    pub const NAMES: [&str; 2] = ["fixed", "brain"];

    /// By its name: one of [`ControllerConfig::NAMES`], or a peer's. What a gateway knows of itself is still to be filled in.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "fixed" => Some(Self::Fixed),
            "brain" => Some(Self::Brain(BrainConfig::default())),
            _ => PeerKind::from_name(name).map(|kind| Self::Peer(PeerConfig::new(kind))),
        }
    }

    /// The same, told what the whole sink takes from which time on: for [`PeerKind::Oracle`] alone.
    #[must_use]
    pub fn told(self, course: impl Iterator<Item = (u64, u64)>) -> Self {
        match self {
            Self::Peer(config) if config.kind == PeerKind::Oracle => {
                let course = course.map(|(micros, per_second)| CapacityFrom { micros, per_second }).collect();
                Self::Peer(PeerConfig { course, ..config })
            }
            other => other,
        }
    }

    /// The same, told what its gateway knows of itself; `capacity_per_second`, its configured share, is for the peers alone.
    #[must_use]
    pub fn for_gateway(
        self,
        own: BrainConfig,
        capacity_per_second: u64,
        commit_interval_micros: u64,
        shards: u64,
    ) -> Self {
        match self {
            Self::Fixed => Self::Fixed,
            Self::Brain(_) => Self::Brain(own),
            Self::Peer(config) => {
                Self::Peer(PeerConfig { capacity_per_second, commit_interval_micros, shards, ..config })
            }
        }
    }
}

/// What decides for one gateway.
#[derive(Debug)]
pub enum Controller {
    /// See [`ControllerConfig::Fixed`]. It is never ticked.
    Fixed,
    /// See [`ControllerConfig::Peer`].
    Peer(Peer),
    /// See [`ControllerConfig::Brain`].
    Brain(Box<Brain>),
}

impl Controller {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(config: &ControllerConfig) -> Self {
        match config {
            ControllerConfig::Fixed => Self::Fixed,
            ControllerConfig::Peer(config) => Self::Peer(Peer::new(config)),
            ControllerConfig::Brain(own) => Self::Brain(Box::new(Brain::new(*own))),
        }
    }

    /// Whether it wants to be ticked and told of frames and transactions at all.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !matches!(self, Self::Fixed)
    }

    /// Whether ticks in which nothing was seen would change nothing: then they may be left out.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        match self {
            Self::Fixed => true,
            Self::Peer(peer) => peer.is_at_rest(),
            Self::Brain(brain) => brain.is_at_rest(),
        }
    }

    /// A frame is about to be taken in.
    pub fn on_arrival(&mut self, arrival: &Arrival) -> Verdict {
        match self {
            Self::Fixed => Verdict::Accept,
            Self::Peer(peer) => peer.on_arrival(arrival),
            Self::Brain(brain) => brain.on_arrival(arrival),
        }
    }

    /// A transaction has been decided.
    pub fn on_commit(&mut self, commit: &Commit) {
        match self {
            Self::Fixed => {}
            Self::Peer(peer) => peer.on_commit(commit),
            Self::Brain(brain) => brain.on_commit(commit),
        }
    }

    /// A tick: what holds from now on.
    pub fn tick(&mut self, seen: &Observation) -> Decision {
        match self {
            Self::Fixed => Decision::default(),
            Self::Peer(peer) => peer.tick(seen),
            Self::Brain(brain) => brain.tick(seen),
        }
    }
}
