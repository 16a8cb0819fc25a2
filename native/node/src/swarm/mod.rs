//! The swarm of a simulated cluster: real seats, and between them a network that the engine cuts and heals.
//!
//! Gossip does not wait for slices: within one, datagrams, deadlines and what gateways have seen of devices are carried out
//! in time order. What follows for a gateway (blocks, shards) takes hold at the slice's end.

mod network;
mod node;
mod roster;
mod sources;
mod tally;

pub use roster::{CookieKeys, SwarmOptions};
pub use sources::{forger, source_of};

use crate::digest::Digest;
use crate::record::{Record, kind};
use klais_gateway::Gateway;
use klais_gateway_swarm::Seat;
use klais_swarm::{Action, Observation, Subject};
use network::{Flight, Network};
use node::Node;
use roster::Kit;
use std::net::IpAddr;
use tally::Tally;

/// Something that a gateway has seen.
struct Seen {
    at: u64,
    gateway: u32,
    observation: Observation,
}

/// See the module. Times in microseconds of virtual time, which all wall clocks show.
pub struct Swarms {
    kit: Kit,
    nodes: Vec<Node>,
    network: Network,
    /// Of the present slice.
    seen: Vec<Seen>,
    tally: Tally,
    /// Up to when everything is carried out.
    now: u64,
}

impl Swarms {
    /// All gateways start at time 0.
    pub fn new(options: &SwarmOptions, gateways: u32, devices: u32) -> napi::Result<Self> {
        let kit = Kit::new(options, gateways, devices)?;
        let nodes = (0..gateways).map(|n| kit.start(n, 0).map(Node::new)).collect::<napi::Result<_>>()?;
        let mut swarms = Self {
            network: Network::new(kit.link, gateways),
            tally: Tally::new(kit.fleet_devices),
            kit,
            nodes,
            seen: Vec::new(),
            now: 0,
        };
        (0..gateways).for_each(|gateway| swarms.reschedule(gateway));
        Ok(swarms)
    }

    /// Whether a gateway drops all that comes from an address.
    pub fn drops_from(&self, gateway: u32, source: IpAddr) -> bool {
        self.nodes[gateway as usize].drops_from(source)
    }

    /// Whether a gateway drops this frame.
    pub fn drops_frame(&self, gateway: u32, frame: u64) -> bool {
        self.nodes[gateway as usize].frames.contains(&frame)
    }

    /// A gateway's seat, while its process runs.
    pub fn awake(&mut self, gateway: u32) -> Option<&mut Seat> {
        self.nodes[gateway as usize].awake()
    }

    /// By which cookies of gateways are told.
    pub fn cookie_keys(&self) -> CookieKeys {
        self.kit.cookie_keys
    }

    /// What the engine says of the world.
    pub fn take(&mut self, gateway: u32, record: &Record, own: &mut Gateway) -> napi::Result<()> {
        match record.kind() {
            kind::START => return self.start(record.time, gateway, own),
            kind::WIRE => self.network.wire(gateway, record.a, record.b != 0),
            _ => self.lie(record.time, gateway, record.a, record.b != 0),
        }
        Ok(())
    }

    /// A gateway has seen something at `at`.
    pub fn see(&mut self, at: u64, gateway: u32, observations: impl IntoIterator<Item = Observation>) {
        let seen = observations.into_iter().map(|observation| Seen { at, gateway, observation });
        self.seen.extend(seen);
    }

    /// A process dies, with all that it knew.
    pub fn stop(&mut self, at: u64, gateway: u32) {
        let Some(seat) = self.nodes[gateway as usize].take_seat() else { return };
        for subject in seat.swarm.blocked() {
            self.tally.unblocked(at, subject);
        }
        let lies = !self.nodes[gateway as usize].lies.is_empty();
        self.tally.ended(at, gateway, &seat, lies);
        self.reschedule(gateway);
    }

    /// A process begins. As in a daemon that starts, everybody counts as alive at first.
    fn start(&mut self, at: u64, gateway: u32, own: &mut Gateway) -> napi::Result<()> {
        self.nodes[gateway as usize] = Node::new(self.kit.start(gateway, at)?);
        self.tally.began(at, gateway);
        let others = (0..self.nodes.len() as u32).filter(|member| *member != gateway);
        for member in others.chain([gateway]) {
            own.set_member(at, member, true);
        }
        self.reschedule(gateway);
        Ok(())
    }

    /// A process stops from one moment to another, or goes on: then it finds what has come meanwhile.
    pub fn freeze(&mut self, at: u64, gateway: u32, on: bool) {
        let node = &mut self.nodes[gateway as usize];
        node.is_frozen = on;
        for flight in node.waiting.drain(..) {
            self.network.arrive(at, flight);
        }
        if on { self.network.rest(gateway) } else { self.network.wake(gateway, at) }
    }

    /// A gateway says, with its own key, that a device is a threat, or the address that it has: a lie, in which it does not
    /// believe itself.
    fn lie(&mut self, at: u64, gateway: u32, device: u32, of_address: bool) {
        let subject =
            if of_address { Subject::prefix(source_of(device), 128) } else { Subject::Device(device) };
        let node = &mut self.nodes[gateway as usize];
        if let Some(seat) = node.seat.as_mut() {
            node.lies.insert(subject);
            seat.swarm.accuse(at, subject);
            self.tally.lies += 1;
            self.reschedule(gateway);
        }
    }

    /// Carries out everything that is due before `horizon`.
    pub fn run(&mut self, horizon: u64, gateways: &mut [Gateway], digest: &mut Digest) {
        let end = horizon.saturating_sub(1);
        let mut seen = std::mem::take(&mut self.seen);
        seen.sort_by_key(|seen| seen.at);
        let mut seen = seen.into_iter().peekable();
        loop {
            let sight = seen.peek().map_or(u64::MAX, |seen| seen.at);
            let (flight, deadline) = (self.network.next_flight(), self.network.next_deadline());
            let next = sight.min(flight).min(deadline);
            if next >= horizon {
                break;
            }
            self.now = self.now.max(next);
            if flight <= next {
                self.land(end, gateways, digest);
            } else if sight <= next {
                if let Some(seen) = seen.next() {
                    self.tell(&seen, gateways, digest);
                }
            } else if let Some(gateway) = self.network.pop_deadline() {
                self.poll(gateway, end, gateways, digest);
            }
        }
        self.now = self.now.max(end);
    }

    fn land(&mut self, end: u64, gateways: &mut [Gateway], digest: &mut Digest) {
        let Some(Flight { from, to, bytes }) = self.network.pop_flight() else { return };
        let node = &mut self.nodes[to as usize];
        if node.is_frozen {
            node.wait(Flight { from, to, bytes });
            return;
        }
        let Some(seat) = node.seat.as_mut() else { return };
        // Counted by the swarm, by its reason.
        let _ = seat.swarm.handle(self.now, roster::gossip_address(from), &bytes);
        self.take_news(to, end, gateways, digest);
    }

    fn tell(&mut self, seen: &Seen, gateways: &mut [Gateway], digest: &mut Digest) {
        let Some(seat) = self.nodes[seen.gateway as usize].awake() else { return };
        seat.tell(self.now, seen.observation);
        if seat.swarm.next_deadline() < self.network.deadline_of(seen.gateway) {
            self.reschedule(seen.gateway);
        }
        self.take_actions(seen.gateway, gateways, digest);
    }

    fn poll(&mut self, gateway: u32, end: u64, gateways: &mut [Gateway], digest: &mut Digest) {
        let Some(seat) = self.nodes[gateway as usize].awake() else { return };
        let own = &gateways[gateway as usize];
        seat.tell_load(self.now, own);
        seat.sweep(self.now, own);
        seat.swarm.poll(self.now);
        self.take_news(gateway, end, gateways, digest);
    }

    /// What follows from what a gateway has heard or found out.
    fn take_news(&mut self, gateway: u32, end: u64, gateways: &mut [Gateway], digest: &mut Digest) {
        let Some(seat) = self.nodes[gateway as usize].awake() else { return };
        let own = &mut gateways[gateway as usize];
        for event in seat.take_events(end, own) {
            self.tally.event(event.change);
        }
        for (member, alive) in seat.take_census(self.now, end, own) {
            let told = Record { a: member, b: alive.into(), ..self.record(gateway, kind::MEMBER) };
            digest.add(&told);
            self.tally.census_changes += 1;
        }
        self.take_actions(gateway, gateways, digest);
    }

    fn take_actions(&mut self, gateway: u32, gateways: &mut [Gateway], digest: &mut Digest) {
        let Some(seat) = self.nodes[gateway as usize].awake() else { return };
        let (actions, datagrams) = (seat.swarm.take_actions(), seat.swarm.take_datagrams());
        for action in actions {
            let (subject, is_blocked) = match action {
                Action::Block(subject) => (subject, true),
                Action::Unblock(subject) => (subject, false),
            };
            let [a, b, c, d] = sources::words_of(&subject);
            digest.add(&Record {
                a,
                b,
                c,
                d,
                ..self.record(gateway, if is_blocked { kind::BLOCK } else { kind::UNBLOCK })
            });
            if !self.nodes[gateway as usize].obey(&mut gateways[gateway as usize], subject, is_blocked) {
                continue;
            }
            if is_blocked {
                let running = self.nodes.iter().filter(|node| node.is_running()).count() as u32;
                self.tally.blocked(self.now, subject, running);
            } else {
                self.tally.unblocked(self.now, subject);
            }
        }
        for datagram in datagrams {
            let Some(to) = roster::number_of(datagram.to) else { continue };
            digest.add(&Record {
                a: to,
                b: datagram.bytes.len() as u32,
                ..self.record(gateway, kind::GOSSIP)
            });
            digest.add_bytes(&datagram.bytes);
            self.network.send(self.now, Flight { from: gateway, to, bytes: datagram.bytes });
        }
        self.reschedule(gateway);
    }

    fn record(&self, gateway: u32, kind: u8) -> Record {
        Record::new(self.now, gateway, kind, 0, 0)
    }

    fn reschedule(&mut self, gateway: u32) {
        match self.nodes[gateway as usize].awake() {
            Some(seat) => {
                let due = seat.next_deadline(self.now);
                self.network.wake(gateway, due);
            }
            None => self.network.rest(gateway),
        }
    }

    /// Figures up to now, in the order of `SWARM_FIGURES` in `src/engine/swarm.ts`.
    pub fn figures(&self) -> Vec<f64> {
        let seats = self
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(n, node)| Some((n as u32, node.seat.as_ref()?, !node.lies.is_empty())));
        self.tally.figures(self.now, seats, self.network.lost)
    }
}
