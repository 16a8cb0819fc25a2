//! What the swarm is told of devices: what user space sees of their frames, and what the filter leaves in its tables.
//!
//! Blamed on a device is only what nobody else can have sent: a HELLO that is newer than all before, and readings that were
//! taken. DATA can be recorded and sent again, so what of it serves nothing blames a frame, or the address that it came
//! from.

use crate::Seat;
use klais_burst_sync::{Data, Hello, Lane};
use klais_dam::Cookie;
use klais_gateway::{Entry, Gateway, Payload};
use klais_swarm::Observation;
use std::net::IpAddr;

/// The filter's words are gone through four times in a window of the detection...
const SWEEPS_PER_WINDOW: u64 = 4;
/// ... each time in so many steps, so that the loop is never kept for long.
const STEPS_PER_SWEEP: u64 = 25;
/// Both.
pub(crate) const SWEEP_STEPS_PER_WINDOW: u64 = SWEEPS_PER_WINDOW * STEPS_PER_SWEEP;
/// Gateways whose cookies are known for such: of more, a cookie that is another's is not held against its device.
const COOKIE_KEYS_MAX: u32 = 64;

/// A frame as it came.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Where from.
    pub source: IpAddr,
    /// The first 8 bytes of its MAC.
    pub frame: u64,
}

/// Whether no gateway of the cluster has made the cookie that a HELLO shows. `place`: the device's, in the dam; `own`: the
/// gateway that asks; `key_of`: the first cookie key of each gateway.
pub fn is_strange(
    hello: &Hello,
    place: u32,
    own: u32,
    gateways: u32,
    key_of: impl Fn(u32) -> [u8; 16],
) -> bool {
    let Some(cookie) = hello.cookie.map(|c| Cookie { slot: c.slot, mac: c.mac }) else { return false };
    let is_of = |gateway| cookie.is_under(key_of(gateway), place);
    gateways <= COOKIE_KEYS_MAX && !is_of(own) && !(0..gateways).any(is_of)
}

impl Seat {
    /// What there is to tell of an authentic HELLO, before it is decided. Who is blocked is not looked at: he is to be let in
    /// again when that ends. `is_filtered`: a filter ahead of this gateway answers HELLOs; `is_strange`: see [`is_strange`].
    pub fn hello<P: Payload>(
        &mut self,
        gateway: &Gateway<P>,
        sight: &Sight,
        device: u32,
        hello: &Hello,
        is_filtered: bool,
        is_strange: impl FnOnce() -> bool,
    ) -> [Option<Observation>; 2] {
        if gateway.is_blocked(device) {
            return [None; 2];
        }
        let source = sight.source;
        if self.attempts.seen(device, hello.epoch, hello.session) {
            let bad_cookie = is_strange().then_some(Observation::BadCookie { device });
            [Some(Observation::Hello { device, source }), bad_cookie]
        } else if is_filtered && !gateway.is_elsewhere(gateway.shard_of(device)) {
            // The filter passes no copies: the sweep was here first.
            [Some(Observation::Owed { device, source }), None]
        } else {
            [Some(Observation::Copy { source, frame: sight.frame }), None]
        }
    }

    /// What there is to tell of authentic DATA that the gateway has decided. `before`: what it knew of the device; `admitted`:
    /// readings taken.
    pub fn data<P: Payload>(
        gateway: &Gateway<P>,
        sight: &Sight,
        device: u32,
        data: &Data,
        before: Entry,
        admitted: u64,
    ) -> Option<Observation> {
        let after = gateway.entry(device);
        let source = sight.source;
        let readings = u32::try_from(admitted).unwrap_or(u32::MAX);
        let is_of_session = before.is_online() && before.session() == data.session;
        let is_older = before.is_known() && data.session.wrapping_sub(before.session()) >= 1 << 15;
        if admitted > 0 && data.lane == Lane::Live {
            Some(Observation::Live { device, source, readings })
        } else if admitted > 0 {
            Some(Observation::Owed { device, source })
        } else if data.count == 0 {
            None
        } else if is_older || (is_of_session && data.end() <= before.mark(data.lane)) {
            Some(Observation::Copy { source, frame: sight.frame })
        } else if is_of_session && !after.is_online() {
            // More than was granted: that ended its session.
            Some(Observation::Idle { device })
        } else if is_of_session {
            // Ahead of what is missing, or there is no room: the device does as it should.
            None
        } else {
            Some(Observation::Stale { frame: sight.frame })
        }
    }

    /// Looks at the next part of the words in which the filter keeps the last HELLO of each device, where that is due.
    pub fn sweep<P: Payload>(&mut self, now: u64, gateway: &Gateway<P>) {
        let (step, due) = self.sweep;
        if !self.judges || now < due {
            return;
        }
        // Late is late: what was missed is not made up for.
        self.sweep = ((step + 1) % STEPS_PER_SWEEP, now.saturating_add(self.sweep_step_micros));
        let devices = u64::from(self.devices);
        for device in devices * step / STEPS_PER_SWEEP..devices * (step + 1) / STEPS_PER_SWEEP {
            let device = device as u32;
            let hellos = self.attempts.swept(device, gateway.last_attempt(device));
            if hellos > 0 && !gateway.is_blocked(device) {
                self.swarm.observe(now, Observation::Answered { device, hellos });
            }
        }
    }
}
