//! One of several controllers, by its name.

use super::{Arrival, Commit, Decision, Observation, Verdict};

/// Which controller, and what it is told when it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ControllerConfig {
    /// The capacity is configured, and nothing is learnt.
    #[default]
    Fixed,
}

impl ControllerConfig {
    /// What [`ControllerConfig::from_name`] knows.
    pub const NAMES: [&str; 1] = ["fixed"];

    /// By its name: `fixed`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "fixed" => Some(Self::Fixed),
            _ => None,
        }
    }
}

/// What decides for one gateway.
#[derive(Clone, Debug)]
pub enum Controller {
    /// See [`ControllerConfig::Fixed`]. It is never ticked.
    Fixed,
}

impl Controller {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(config: &ControllerConfig) -> Self {
        match config {
            ControllerConfig::Fixed => Self::Fixed,
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
        }
    }

    /// A frame is about to be taken in.
    pub fn on_arrival(&mut self, _arrival: &Arrival) -> Verdict {
        match self {
            Self::Fixed => Verdict::Accept,
        }
    }

    /// A transaction has been decided.
    pub fn on_commit(&mut self, _commit: &Commit) {
        match self {
            Self::Fixed => {}
        }
    }

    /// A tick: what holds from now on.
    pub fn tick(&mut self, _seen: &Observation) -> Decision {
        match self {
            Self::Fixed => Decision::default(),
        }
    }
}
