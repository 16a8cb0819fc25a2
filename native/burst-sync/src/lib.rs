//! Burst sync: a store-and-forward protocol in which nothing is lost and nothing is stored twice.
//!
//! Sans-IO: every entry point takes the time and its randomness as arguments and returns decisions. The
//! simulator and the daemon drive the same code.
#![no_std]
#![forbid(unsafe_code)]

mod backlog;
mod backoff;
mod config;
mod connection;
mod device;
mod frame;
mod held;
mod intake;
mod resend;
mod schedule;
mod session;
mod term;
mod throttle;
pub mod wire;

pub use backlog::{Backlog, READING_INDEX_MAX, Range};
pub use backoff::{Backoff, BackoffKind};
pub use config::{ConfigError, DeviceConfig, Overflow, Storage};
pub use device::{Device, Event, Losses, Note, Outbox, State};
pub use frame::{Admit, Cookie, Data, Defer, Frame, Hello, Lane, Mark, Nack, NackReason};
pub use intake::{Intake, Offer};
pub use schedule::Schedule;
pub use term::{Term, TermEcho};
pub use throttle::Throttle;
