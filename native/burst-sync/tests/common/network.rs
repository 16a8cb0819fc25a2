//! Frames on their way: lost, doubled, late and out of order; or in order until the connection breaks.

use super::chance::Chance;
use super::plan::Faults;
use klais_burst_sync::Frame;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
pub enum Packet {
    Up(u32, Frame),
    Down(u32, Frame),
    Refused(u32),
}

pub struct Network {
    in_order: bool,
    latency_micros: u64,
    queue: BTreeMap<(u64, u64), Packet>,
    sent: u64,
    /// Of the newest frame per device and direction.
    arrivals: BTreeMap<(u32, bool), u64>,
    broken: BTreeSet<(u32, u16)>,
}

impl Network {
    pub fn new(in_order: bool, latency_micros: u64) -> Self {
        let (queue, arrivals, broken) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { in_order, latency_micros, queue, sent: 0, arrivals, broken }
    }

    pub fn next_at(&self) -> u64 {
        self.queue.first_key_value().map_or(u64::MAX, |((at, _), _)| *at)
    }

    pub fn pop(&mut self) -> Option<Packet> {
        self.queue.pop_first().map(|(_, packet)| packet)
    }

    pub fn refuse(&mut self, now: u64, device: u32) {
        self.put(now + self.latency_micros, Packet::Refused(device));
    }

    pub fn send(&mut self, chance: &mut Chance, faults: &Faults, now: u64, packet: Packet) {
        let (Packet::Up(device, frame) | Packet::Down(device, frame)) = packet else { return };
        let connection = (device, session(&frame));
        let lost = chance.per_mille(faults.loss);
        if self.in_order {
            if lost {
                self.broken.insert(connection);
            }
            if self.broken.contains(&connection) {
                return;
            }
            let newest = self.arrivals.entry((device, matches!(packet, Packet::Up(..)))).or_default();
            let at = (now + self.latency_micros + chance.below(faults.jitter_micros + 1)).max(*newest + 1);
            *newest = at;
            self.put(at, packet);
            return;
        }
        let copies = u64::from(!lost) + u64::from(chance.per_mille(faults.doubled));
        for _ in 0..copies {
            let late = if chance.per_mille(faults.stray) { chance.below(20_000_000) } else { 0 };
            let jitter = chance.below(faults.jitter_micros + 1);
            self.put(now + self.latency_micros + jitter + late, packet);
        }
    }

    fn put(&mut self, at: u64, packet: Packet) {
        self.sent += 1;
        self.queue.insert((at, self.sent), packet);
    }
}

fn session(frame: &Frame) -> u16 {
    match frame {
        Frame::Hello(f) => f.session,
        Frame::Admit(f) => f.session,
        Frame::Defer(f) => f.session,
        Frame::Data(f) => f.session,
        Frame::Nack(f) => f.session,
        Frame::Redirect { session, .. } | Frame::Ack { session, .. } | Frame::Bye { session } => *session,
    }
}
