//! A gateway as one of a swarm: what it sees of devices and of its own load goes in, who is there and who is blocked
//! comes out. Sans-IO, as both are: the daemon drives it over sockets and in real time, the simulator in virtual time.
#![forbid(unsafe_code)]

mod attempts;
mod census;
mod observe;
mod seat;

pub use observe::{Sight, is_strange};
pub use seat::{Seat, SeatConfig};
