//! What is on its way between the code's two ends.

use crate::chance::Chance;
use crate::mirror::Sent;
use klais_burst_sync::{Frame, Note, Outbox};

/// Frames on their way, each way; the oldest are lost first.
const NETWORK_MAX: usize = 24;

/// What a device sends in one move.
#[derive(Default)]
pub struct Told(pub Vec<Frame>);

impl Outbox for Told {
    fn send(&mut self, frame: Frame) {
        self.0.push(frame);
    }

    fn note(&mut self, _note: Note) {}
}

pub fn push(network: &mut Vec<Sent>, sent: Sent) {
    if network.len() == NETWORK_MAX {
        network.remove(0);
    }
    network.push(sent);
}

/// Any frame, at times a copy.
pub fn take(network: &mut Vec<Sent>, chance: &mut Chance) -> Option<Sent> {
    if network.is_empty() {
        return None;
    }
    let place = chance.below(network.len() as u64) as usize;
    let sent = network[place];
    if chance.per_mille(500) {
        network.remove(place);
    }
    Some(sent)
}
