//! The swarm: gateways that know of each other, tell each other their load, and drop a threat together.
//!
//! Sans-IO. The driver gives [`Swarm::handle`] every datagram of the gossip socket, calls [`Swarm::poll`] when
//! [`Swarm::next_deadline`] comes, and then takes datagrams to send, events of membership and actions for the dam. What
//! the gateway sees of devices goes in by [`Swarm::observe`]. Nothing here reads a clock or draws a random number of its
//! own: time and a seed are arguments. Times are microseconds.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod clock;
mod codec;
mod config;
mod counters;
mod damping;
mod detect;
mod identity;
mod keys;
mod load;
mod members;
mod membership;
mod meter;
mod random;
mod replay;
mod roster;
mod swarm;
mod threat;
mod wire;

pub use config::{
    DampingConfig, GOSSIP_INTERVAL_MICROS, SwarmConfig, SwarmError, ThreatConfig, Timing, quorum_for,
};
pub use counters::{Counters, REFUSALS, Refusal, ReportRefusal};
pub use detect::{DetectConfig, Level, Observation};
pub use identity::Identity;
pub use keys::{ClusterKeys, SigningSeed};
pub use load::Load;
pub use members::{Change, Event, Member, MemberState};
pub use roster::{GATEWAYS_MAX, Peer, Roster};
pub use swarm::{Datagram, Swarm};
pub use threat::{Action, Evidence, EvidenceKind, Subject, ThreatCounters};
pub use wire::DATAGRAM_BYTES_MAX;
