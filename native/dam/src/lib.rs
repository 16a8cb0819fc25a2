//! The dam: a lock-free admission filter over integers.
//!
//! Buckets are GCRA with the time passed in ([`gcra`], [`Bucket`]); the [`Dam`] stacks them in layers, answers HELLOs
//! with session slots and reserves backfill slots. Nothing here reads a clock, draws a random number, locks or panics
//! on input. Times are nanoseconds since any start ("nanos"), from a clock that does not go backwards.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod admit;
mod backfill;
mod batch;
mod blocklist;
mod bucket;
mod class;
mod config;
mod cookie;
mod dam;
mod emission;
mod error;
pub mod gcra;
mod limit;
mod reason;
mod shift;
mod slot_word;
mod slots;
mod tables;

pub use backfill::BackfillSlot;
pub use batch::Request;
pub use bucket::Bucket;
pub use class::{Class, Layer};
pub use config::{
    DamConfig, HORIZON_NANOS, MAX_HORIZON_NANOS, MAX_WINDOW_NANOS, SESSION_WINDOW_NANOS, SessionMode,
    WIDE_WINDOW,
};
pub use cookie::Cookie;
pub use dam::Dam;
pub use emission::{Emission, Pace};
pub use error::DamError;
pub use gcra::Refusal;
pub use limit::Limit;
pub use reason::{DropReason, Verdict};
pub use shift::Shift;
pub use slot_word::{Attempt, EARLY_NANOS, TICK_NANOS};
pub use slots::HelloVerdict;
pub use tables::{DamState, DamTables};
