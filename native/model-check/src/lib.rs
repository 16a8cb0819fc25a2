//! Burst sync and takeover, explored exhaustively in a small world.
//!
//! One shard, two gateways, one or two devices, a log with transactions and fencing, and a network in which whatever was
//! ever sent may arrive at any later time, any number of times, or never. What is checked: nothing is stored twice, nothing
//! is lost, each lane keeps its order, and from every state that can be reached the world comes to rest with everything
//! durable once nothing fails any more. Each rule of the protocol can be broken, to show that the checker finds it.
//!
//! Where it can be, the code under test is the real one: the run table of a device and the intake of a gateway.
#![forbid(unsafe_code)]

mod check;
mod code;
mod device;
mod ending;
mod frame;
mod gateway;
mod log;
mod setup;
mod steps;
mod trace;
mod world;

pub use check::{Findings, Property, check};
pub use device::{Device, Link};
pub use ending::{ENDINGS, Ending, Known, Story, finishes};
pub use frame::{BACKFILL, Frame, LIVE};
pub use gateway::{Entry, Gateway, Phase};
pub use log::{Checkpoint, Log, Run, Runs, Transaction};
pub use setup::{DEVICES, GATEWAYS, READINGS_MAX, Ring, Rule, Setup, Start};
pub use steps::Step;
pub use world::World;
