//! What the daemon sees of devices, handed on to its seat in the swarm.

use super::gossip::Gossip;
use crate::clock::monotonic_nanos;
use crate::daemon::Daemon;
use crate::snapshot::Placement;
use klais_burst_sync::{Data, Hello};
use klais_gateway::Entry;
use klais_gateway_swarm::{Seat, Sight, is_strange};
use klais_swarm::Observation;
use klais_units::NANOS_PER_MICRO;
use std::net::IpAddr;

/// Bytes of a MAC at the end of each frame; the first 8 of them name it.
const MAC_BYTES: usize = 16;

/// A datagram as it came, whatever is in it.
pub fn sight_of(source: IpAddr, bytes: &[u8]) -> Sight {
    let mac = bytes.last_chunk::<MAC_BYTES>().and_then(|mac| mac.first_chunk::<8>());
    Sight { source, frame: mac.map_or(0, |mac| u64::from_be_bytes(*mac)) }
}

impl Gossip {
    /// Whether the swarm drops this frame.
    pub fn drops(&self, sight: &Sight) -> bool {
        !self.frames.is_empty() && self.frames.contains(&sight.frame)
    }

    /// Whether the swarm drops all that comes from there.
    pub fn drops_from(&self, source: IpAddr) -> bool {
        self.prefixes.contains(source)
    }

    /// A batch of frames is taken in, at this time by CLOCK_MONOTONIC.
    pub fn open_eyes(&mut self, monotonic_nanos: u64) {
        self.seen_at = monotonic_nanos / NANOS_PER_MICRO;
    }

    fn tell(&mut self, observation: Observation) {
        self.seat.tell(self.seen_at, observation);
    }
}

impl Daemon {
    /// The batch is over: what was found in it is blocked at once, and told soon.
    pub(crate) fn close_eyes(&mut self) {
        if let Some(gossip) = &mut self.gossip {
            gossip.due = gossip.due.min(gossip.seat.swarm.next_deadline());
            self.take_actions();
        }
    }

    /// A datagram that is no frame, or not under its device's key.
    pub(crate) fn saw_forgery(&mut self, sight: &Sight) {
        if let Some(gossip) = &mut self.gossip {
            gossip.tell(Observation::Forged { source: sight.source });
        }
    }

    /// An authentic HELLO, before it is decided.
    pub(crate) fn saw_hello(&mut self, sight: &Sight, device: u32, hello: &Hello) {
        let is_filtered = self.placement() != Placement::Off;
        let (own, gateways, policy) = (self.config.gateway, self.config.gateways, &self.config.policy);
        let Some(gossip) = &mut self.gossip else { return };
        let place = self.gateway.place_in_dam(device);
        let is_strange = || is_strange(hello, place, own, gateways, |gateway| policy.cookie_key(gateway));
        let seen = gossip.seat.hello(&self.gateway, sight, device, hello, is_filtered, is_strange);
        for observation in seen.into_iter().flatten() {
            gossip.tell(observation);
        }
    }

    /// Authentic DATA that the gateway has decided. `before`: what it knew of the device; `admitted`: readings taken.
    pub(crate) fn saw_data(&mut self, sight: &Sight, device: u32, data: &Data, before: Entry, admitted: u64) {
        let Some(gossip) = &mut self.gossip else { return };
        if let Some(observation) = Seat::data(&self.gateway, sight, device, data, before, admitted) {
            gossip.tell(observation);
        }
    }

    /// Looks at the next part of the words in which the filter keeps the last HELLO of each device.
    pub(super) fn sweep(&mut self, now: u64) {
        let is_filtered = self.placement() != Placement::Off;
        if let Some(gossip) = self.gossip.as_mut().filter(|_| is_filtered) {
            gossip.seen_at = now;
            gossip.seat.sweep(now, &self.gateway);
        }
    }
}

/// The swarm's time.
pub(super) fn real_micros() -> u64 {
    monotonic_nanos() / NANOS_PER_MICRO
}
