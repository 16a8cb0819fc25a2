//! Frames from devices.

use crate::clock::monotonic_nanos;
use crate::daemon::Daemon;
use crate::readings::Readings;
use crate::receiver::Receiver;
use crate::service::Work;
use crate::snapshot::Placement;
use crate::swarm::{Gossip, sight_of};
use bytes::Bytes;
use klais_burst_sync::Frame;
use klais_burst_sync::wire::{self, Parsed, WireError};
use klais_gateway::Ingress;
use klais_gateway_swarm::Sight;
use std::net::SocketAddr;

/// A frame that has been opened, and how it came.
struct Arrival<'a> {
    from: SocketAddr,
    sight: Sight,
    key_epoch: u8,
    /// CLOCK_MONOTONIC.
    at_nanos: u64,
    /// Virtual.
    now_micros: u64,
    device: u32,
    frame: Frame,
    payload: &'a [u8],
}

impl Daemon {
    /// Handles the datagrams of the last batch: what they were.
    pub(crate) fn take_batch(&mut self, receiver: &Receiver) -> Work {
        let mut work = Work::default();
        let monotonic = monotonic_nanos();
        let now_micros = self.clock.micros(monotonic);
        self.tallies.unstamped = receiver.unstamped;
        let is_filtered = self.placement() != Placement::Off;
        if let Some(gossip) = &mut self.gossip {
            gossip.open_eyes(monotonic);
        }
        for (datagram, bytes) in receiver.datagrams() {
            self.tallies.received += 1;
            if self.is_draining() {
                self.tallies.draining += 1;
                continue;
            }
            let sight = sight_of(datagram.from.ip(), bytes);
            if !is_filtered && self.is_prefix_blocked(&sight) {
                self.tallies.prefix += 1;
                continue;
            }
            if self.gossip.as_ref().is_some_and(|gossip| gossip.drops(&sight)) {
                self.tallies.frame += 1;
                continue;
            }
            let Parsed { device, key_epoch, frame, payload } = match wire::open(bytes, &self.keys) {
                Ok(parsed) => parsed,
                Err(error) => {
                    self.count_wire_error(error);
                    self.saw_forgery(&sight);
                    continue;
                }
            };
            match &frame {
                Frame::Hello(hello) if self.number != 0 && hello.gateway != self.number => {
                    self.tallies.other_gateway += 1;
                    continue;
                }
                Frame::Data(data) => {
                    work[1] += 1;
                    work[2] += u64::from(data.count);
                }
                _ => work[0] += 1,
            }
            let at_nanos = monotonic.saturating_sub(datagram.waited_nanos).max(1);
            let from = datagram.from;
            let arrival = Arrival { from, sight, key_epoch, at_nanos, now_micros, device, frame, payload };
            if let Frame::Hello(hello) = &arrival.frame {
                self.saw_hello(&sight, device, hello);
            }
            // Where the kernel filters, it has decided already: asked again, the dam would charge it twice.
            if is_filtered || self.is_let_in(&arrival) {
                self.on_frame(arrival);
            }
        }
        self.close_eyes();
        work
    }

    fn is_prefix_blocked(&self, sight: &Sight) -> bool {
        let by_swarm = |gossip: &Gossip| gossip.drops_from(sight.source);
        self.prefixes.contains(sight.source) || self.gossip.as_ref().is_some_and(by_swarm)
    }

    fn count_wire_error(&mut self, error: WireError) {
        let place = WireError::ALL.iter().position(|e| *e == error);
        if let Some(count) = place.and_then(|n| self.tallies.wire_errors.get_mut(n)) {
            *count += 1;
        }
    }

    /// The filter's decision, made here. Answers by itself, as the filter does.
    fn is_let_in(&mut self, arrival: &Arrival<'_>) -> bool {
        let Arrival { from, key_epoch, now_micros, device, ref frame, .. } = *arrival;
        match self.gateway.ingress(now_micros, device, frame) {
            Ingress::Accept => true,
            Ingress::Answer(answer) => {
                self.answer_to(device, from, key_epoch, &answer);
                false
            }
            Ingress::Drop(_) => false,
        }
    }

    fn on_frame(&mut self, arrival: Arrival<'_>) {
        let Arrival { from, sight, key_epoch, at_nanos, now_micros, device, ref frame, payload } = arrival;
        // Copied here and not before: what the dam refuses must cost no memory.
        let keeps_readings = self.sink.keeps_readings();
        let readings =
            if keeps_readings { Readings(Bytes::copy_from_slice(payload)) } else { Readings::default() };
        match frame {
            Frame::Hello(hello) => {
                let known = self.gateway.newest_attempt(device);
                self.addresses.on_hello(device, hello, known, from, key_epoch);
                self.gateway.handle(now_micros, device, frame, readings);
            }
            Frame::Data(data) => {
                self.addresses.on_data(device, from, key_epoch);
                let (known, before) = (self.gateway.entry(device), self.gateway.stats().admitted);
                self.gateway.handle(now_micros, device, frame, readings);
                let admitted = self.gateway.stats().admitted - before;
                if admitted > 0 {
                    self.turnaround.arrived(device, data.lane, at_nanos);
                }
                self.saw_data(&sight, device, data, known, admitted);
            }
            _ => self.gateway.handle(now_micros, device, frame, readings),
        }
    }
}
