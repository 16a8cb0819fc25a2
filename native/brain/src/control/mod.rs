//! From what a gateway sees of its sink to the rates of its dam: the brain, and the controllers it is held against.
//!
//! A gateway tells its controller of every DATA frame that it is about to take in ([`Controller::on_arrival`]) and of every
//! transaction that its sink has decided ([`Controller::on_commit`]), and asks it every [`TICK_MICROS`] what is to hold from
//! then on ([`Controller::tick`]). Time is an argument throughout.

mod brain;
mod controller;
mod decision;
mod observation;
pub mod peers;

pub use brain::{Brain, BrainConfig};
pub use controller::{Controller, ControllerConfig};
pub use decision::{Decision, Level, Reason, UNLIMITED, Verdict};
pub use observation::{Arrival, Commit, CommitsSeen, Lane, LaneSeen, Observation};

/// Between two ticks.
pub const TICK_MICROS: u64 = 100_000;
