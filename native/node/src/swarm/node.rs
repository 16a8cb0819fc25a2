//! One gateway's process, as far as the swarm goes.

use super::network::Flight;
use super::sources;
use klais_gateway::Gateway;
use klais_gateway_swarm::Seat;
use klais_swarm::Subject;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Datagrams that wait in the socket of a process that does not run: Linux keeps 212,992 bytes, bookkeeping counted.
const WAITING_MAX: usize = 128;
/// As many ranges, and as many frames, as the daemon has room for.
const BLOCKS_MAX: usize = 65_536;

/// See the module.
pub struct Node {
    /// `None`: dead.
    pub seat: Option<Seat>,
    pub is_frozen: bool,
    /// What came while it was frozen.
    pub waiting: Vec<Flight>,
    /// What it accuses and does not believe itself.
    pub lies: BTreeSet<Subject>,
    /// Blocked, beside the devices that the dam has.
    prefixes: BTreeSet<Subject>,
    pub frames: BTreeSet<u64>,
}

impl Node {
    pub fn new(seat: Seat) -> Self {
        Self {
            seat: Some(seat),
            is_frozen: false,
            waiting: Vec::new(),
            lies: BTreeSet::new(),
            prefixes: BTreeSet::new(),
            frames: BTreeSet::new(),
        }
    }

    pub fn is_running(&self) -> bool {
        self.seat.is_some() && !self.is_frozen
    }

    /// Its seat, while it runs.
    pub fn awake(&mut self) -> Option<&mut Seat> {
        self.seat.as_mut().filter(|_| !self.is_frozen)
    }

    /// It dies.
    pub fn take_seat(&mut self) -> Option<Seat> {
        self.waiting.clear();
        self.prefixes.clear();
        self.frames.clear();
        self.seat.take()
    }

    pub fn wait(&mut self, flight: Flight) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.push(flight);
        }
    }

    pub fn drops_from(&self, source: IpAddr) -> bool {
        !self.prefixes.is_empty()
            && sources::ranges_of(source).iter().any(|range| self.prefixes.contains(range))
    }

    /// Does what its swarm says: false where it knows better, or has no room.
    pub fn obey(&mut self, own: &mut Gateway, subject: Subject, is_blocked: bool) -> bool {
        if self.lies.contains(&subject) {
            return false;
        }
        match subject {
            Subject::Device(device) => own.set_blocked(device, is_blocked),
            Subject::Frame(frame) if is_blocked => {
                self.frames.len() < BLOCKS_MAX && self.frames.insert(frame)
            }
            Subject::Frame(frame) => self.frames.remove(&frame),
            Subject::Prefix { .. } if is_blocked => {
                self.prefixes.len() < BLOCKS_MAX && self.prefixes.insert(subject)
            }
            Subject::Prefix { .. } => self.prefixes.remove(&subject),
        }
    }
}
