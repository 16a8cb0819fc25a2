//! This gateway as one of a swarm: gossip in the daemon's loop, shards that change hands by it, threats into the dam.
//!
//! Gossip runs in real time, whatever the daemon's virtual clock does.

mod config;
mod drive;
mod gossip;
mod observe;
mod view;

pub use config::SwarmSection;
pub use gossip::Gossip;
pub use observe::sight_of;
pub use view::SwarmCounts;
