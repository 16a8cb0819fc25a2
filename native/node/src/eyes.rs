//! What a cluster's gateways see of frames, beside what they do with them: the swarm's part of the pipeline.
//!
//! As in a daemon behind the filter in the kernel: user space sees what the filter passes, and HELLOs that are sent on to
//! another gateway; what the filter answers by itself is found in its tables later.

use crate::cluster::Cluster;
use crate::record::Record;
use crate::swarm::{SwarmOptions, Swarms, forger, source_of};
use klais_burst_sync::Frame;
use klais_gateway_swarm::{Seat, Sight, is_strange};
use klais_swarm::Observation;
use napi::bindgen_prelude::Result;
use std::net::IpAddr;
use xxhash_rust::xxh3::xxh3_64;

/// Reasons for which frames are dropped before a gateway has anything to decide, after its own.
pub const UNREAD_NAMES: [&str; 3] = ["mac", "prefix", "copied-frame"];
const MAC: usize = 0;
const PREFIX: usize = 1;
const FRAME: usize = 2;

impl Cluster {
    /// Makes the gateways a swarm. Only before anything else.
    pub fn join_swarm(&mut self, options: &SwarmOptions, devices: u32) -> Result<()> {
        self.swarms = Some(Swarms::new(options, self.gateways.len() as u32, devices)?);
        Ok(())
    }

    /// See [`Swarms::figures`]; nothing where there is no swarm.
    pub fn swarm_figures(&self) -> Vec<f64> {
        self.swarms.as_ref().map(Swarms::figures).unwrap_or_default()
    }

    /// Whether the filter knows the frame for bad before it decides, and counts it.
    pub(crate) fn is_shut_out(&mut self, gateway: u32, record: &Record) -> bool {
        let Some(swarms) = &self.swarms else { return false };
        let is_shut_out = swarms.drops_from(gateway, source(record));
        self.unread[PREFIX] += u64::from(is_shut_out);
        is_shut_out
    }

    /// The filter has sent a HELLO on to another gateway.
    pub(crate) fn saw_redirected(&mut self, gateway: u32, record: &Record, frame: &Frame) {
        if let Frame::Hello(_) = frame {
            self.saw_hello(gateway, record, frame);
        }
    }

    /// User space's half of a frame that the filter passed.
    pub(crate) fn open(&mut self, gateway: u32, record: &Record, frame: &Frame) {
        if record.forger().is_some() {
            self.unread[MAC] += 1;
            self.see(record.time, gateway, [Observation::Forged { source: source(record) }]);
        } else if let Some(swarms) = &self.swarms {
            let sight = sight(record);
            if swarms.drops_frame(gateway, sight.frame) {
                self.unread[FRAME] += 1;
            } else {
                self.handle_seen(gateway, record, frame, &sight);
            }
        } else {
            self.gateways[gateway as usize].handle(record.time, record.device, frame, ());
        }
    }

    fn handle_seen(&mut self, gateway: u32, record: &Record, frame: &Frame, sight: &Sight) {
        self.saw_hello(gateway, record, frame);
        let (time, device) = (record.time, record.device);
        let at = &mut self.gateways[gateway as usize];
        let (before, admitted) = (at.entry(device), at.stats().admitted);
        at.handle(time, device, frame, ());
        if let Frame::Data(data) = frame {
            let admitted = at.stats().admitted - admitted;
            let seen = Seat::data(at, sight, device, data, before, admitted);
            self.see(time, gateway, seen);
        }
    }

    fn saw_hello(&mut self, gateway: u32, record: &Record, frame: &Frame) {
        let (Some(swarms), Frame::Hello(hello)) = (&mut self.swarms, frame) else { return };
        let (own, count) = (&self.gateways[gateway as usize], self.gateways.len() as u32);
        let (device, place) = (record.device, own.place_in_dam(record.device));
        let keys = swarms.cookie_keys();
        let strange = || is_strange(hello, place, gateway, count, |n| keys.of(n));
        let Some(seat) = swarms.awake(gateway) else { return };
        let seen = seat.hello(own, &sight(record), device, hello, true, strange);
        swarms.see(record.time, gateway, seen.into_iter().flatten());
    }

    fn see(&mut self, time: u64, gateway: u32, seen: impl IntoIterator<Item = Observation>) {
        if let Some(swarms) = &mut self.swarms {
            swarms.see(time, gateway, seen);
        }
    }
}

fn source(record: &Record) -> IpAddr {
    record.forger().map_or_else(|| source_of(record.device), forger)
}

/// A simulated frame has no MAC: what is in it names it as well.
fn sight(record: &Record) -> Sight {
    Sight { source: source(record), frame: xxh3_64(&record.bytes()[8..]) }
}
