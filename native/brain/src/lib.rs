//! The brain: what a gateway can know of the sink and of the wave that is coming, and what it makes of it.
//!
//! Sans-IO: time is an argument, in microseconds; what the gateway saw goes in, decisions come out. Nothing here knows the
//! scenario.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod control;
pub mod forecast;
