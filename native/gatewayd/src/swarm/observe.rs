//! What the swarm is told of devices: what user space sees of their frames, and what the filter leaves in its tables.
//!
//! Blamed on a device is only what nobody else can have sent: a HELLO that is newer than all before, and readings that were
//! taken. DATA can be recorded and sent again, so what of it serves nothing blames a frame, or the address that it came
//! from.

use super::gossip::Gossip;
use crate::clock::monotonic_nanos;
use crate::daemon::Daemon;
use crate::snapshot::Placement;
use klais_burst_sync::{Data, Hello, Lane};
use klais_dam::Cookie;
use klais_gateway::Entry;
use klais_swarm::Observation;
use klais_units::NANOS_PER_MICRO;
use std::net::IpAddr;

/// The filter's words are gone through four times in a window of the detection...
const SWEEPS_PER_WINDOW: u64 = 4;
/// ... each time in so many steps, so that the loop is never kept for long.
const STEPS_PER_SWEEP: u64 = 25;
/// Both.
pub(super) const SWEEP_STEPS_PER_WINDOW: u64 = SWEEPS_PER_WINDOW * STEPS_PER_SWEEP;
/// Gateways whose cookies are known for such: of more, a cookie that is another's is not held against its device.
const COOKIE_KEYS_MAX: u32 = 64;
/// Bytes of a MAC at the end of each frame; the first 8 of them name it.
const MAC_BYTES: usize = 16;

/// A frame as it came.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    pub source: IpAddr,
    /// The first 8 bytes of its MAC.
    pub frame: u64,
}

impl Sight {
    /// Of a datagram, whatever is in it.
    pub fn of(source: IpAddr, bytes: &[u8]) -> Self {
        let mac = bytes.last_chunk::<MAC_BYTES>().and_then(|mac| mac.first_chunk::<8>());
        Self { source, frame: mac.map_or(0, |mac| u64::from_be_bytes(*mac)) }
    }
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
        if self.judges {
            self.swarm.observe(self.seen_at, observation);
        }
    }
}

impl Daemon {
    /// The batch is over: what was found in it is blocked at once, and told soon.
    pub(crate) fn close_eyes(&mut self) {
        if let Some(gossip) = &mut self.gossip {
            gossip.due = gossip.due.min(gossip.swarm.next_deadline());
            self.take_actions();
        }
    }

    /// A datagram that is no frame, or not under its device's key.
    pub(crate) fn saw_forgery(&mut self, sight: &Sight) {
        if let Some(gossip) = &mut self.gossip {
            gossip.tell(Observation::Forged { source: sight.source });
        }
    }

    /// An authentic HELLO, before it is decided. Who is blocked is not looked at: he is to be let in again when that ends.
    pub(crate) fn saw_hello(&mut self, sight: &Sight, device: u32, hello: &Hello) {
        if self.gossip.is_none() || self.gateway.dam().is_blocked(device) {
            return;
        }
        let is_filtered = self.placement() != Placement::Off;
        let is_elsewhere = self.gateway.is_elsewhere(device % self.config.policy.shards.max(1));
        let has_bad_cookie = self.has_bad_cookie(device, hello);
        let Some(gossip) = &mut self.gossip else { return };
        let source = sight.source;
        if gossip.attempts.seen(device, hello.epoch, hello.session) {
            gossip.tell(Observation::Hello { device, source });
            if has_bad_cookie {
                gossip.tell(Observation::BadCookie { device });
            }
        } else if is_filtered && !is_elsewhere {
            // The filter passes no copies: the sweep was here first.
            gossip.tell(Observation::Owed { device, source });
        } else {
            gossip.tell(Observation::Copy { source, frame: sight.frame });
        }
    }

    /// Whether no gateway of the cluster has made the cookie that is shown.
    fn has_bad_cookie(&self, device: u32, hello: &Hello) -> bool {
        let Some(cookie) = hello.cookie.map(|c| Cookie { slot: c.slot, mac: c.mac }) else { return false };
        let gateways = self.config.gateways;
        let is_of = |gateway| cookie.is_under(self.config.policy.cookie_key(gateway), device);
        gateways <= COOKIE_KEYS_MAX && !is_of(self.config.gateway) && !(0..gateways).any(is_of)
    }

    /// Authentic DATA that the gateway has decided. `before`: what it knew of the device; `admitted`: readings taken.
    pub(crate) fn saw_data(&mut self, sight: &Sight, device: u32, data: &Data, before: Entry, admitted: u64) {
        let Some(gossip) = &mut self.gossip else { return };
        let after = self.gateway.entry(device);
        let source = sight.source;
        let readings = u32::try_from(admitted).unwrap_or(u32::MAX);
        let is_of_session = before.is_online() && before.session() == data.session;
        let is_older = before.is_known() && data.session.wrapping_sub(before.session()) >= 1 << 15;
        let observation = if admitted > 0 && data.lane == Lane::Live {
            Observation::Live { device, source, readings }
        } else if admitted > 0 {
            Observation::Owed { device, source }
        } else if data.count == 0 {
            return;
        } else if is_older || (is_of_session && data.end() <= before.mark(data.lane)) {
            Observation::Copy { source, frame: sight.frame }
        } else if is_of_session && !after.is_online() {
            // More than was granted: that ended its session.
            Observation::Idle { device }
        } else if is_of_session {
            // Ahead of what is missing, or there is no room: the device does as it should.
            return;
        } else {
            Observation::Stale { frame: sight.frame }
        };
        gossip.tell(observation);
    }

    /// Looks at the next part of the words in which the filter keeps the last HELLO of each device.
    pub(super) fn sweep(&mut self, now: u64) {
        let is_filtered = self.placement() != Placement::Off;
        let Some(gossip) = &mut self.gossip else { return };
        let (step, due) = gossip.sweep;
        if !is_filtered || !gossip.judges || now < due {
            return;
        }
        gossip.seen_at = now;
        // Late is late: what was missed is not made up for.
        gossip.sweep = ((step + 1) % STEPS_PER_SWEEP, now.saturating_add(gossip.sweep_step_micros));
        let dam = self.gateway.dam();
        let devices = u64::from(dam.devices());
        let range = devices * step / STEPS_PER_SWEEP..devices * (step + 1) / STEPS_PER_SWEEP;
        for device in range.map(|device| device as u32) {
            let hellos = gossip.attempts.swept(device, dam.slot_word(device) as u32);
            if hellos > 0 && !dam.is_blocked(device) {
                gossip.tell(Observation::Answered { device, hellos });
            }
        }
    }
}

/// The swarm's time.
pub(super) fn real_micros() -> u64 {
    monotonic_nanos() / NANOS_PER_MICRO
}
