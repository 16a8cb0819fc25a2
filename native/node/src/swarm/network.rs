//! Datagrams on their way between gateways, and whose turn it is.

use klais_units::{draw, scale};
use std::collections::{BTreeMap, BTreeSet};

const PURPOSE_DELAY: u64 = 0x6e65_7477_6f72_6b01;
const PURPOSE_LOSS: u64 = 0x6e65_7477_6f72_6b02;
const PER_MILLION: u64 = 1_000_000;

/// What the network between gateways does.
#[derive(Clone, Copy)]
pub struct Link {
    pub delay_min_micros: u64,
    pub delay_max_micros: u64,
    pub loss_ppm: u64,
    pub key: u64,
}

/// A datagram on its way.
pub struct Flight {
    pub from: u32,
    pub to: u32,
    pub bytes: Vec<u8>,
}

/// See the module.
pub struct Network {
    link: Link,
    gateways: u32,
    /// By observer and member.
    hears: Vec<bool>,
    /// By arrival, then in the order of sending.
    flights: BTreeMap<(u64, u64), Flight>,
    sent: u64,
    deadlines: BTreeSet<(u64, u32)>,
    /// `u64::MAX`: none.
    deadline_of: Vec<u64>,
    /// Datagrams that did not arrive.
    pub lost: u64,
}

impl Network {
    pub fn new(link: Link, gateways: u32) -> Self {
        Self {
            link,
            gateways,
            hears: vec![true; (gateways * gateways) as usize],
            flights: BTreeMap::new(),
            sent: 0,
            deadlines: BTreeSet::new(),
            deadline_of: vec![u64::MAX; gateways as usize],
            lost: 0,
        }
    }

    pub fn wire(&mut self, observer: u32, member: u32, hears: bool) {
        self.hears[(observer * self.gateways + member) as usize] = hears;
    }

    /// What is sent while nobody hears it is lost, as on a cut wire.
    pub fn send(&mut self, now: u64, flight: Flight) {
        self.sent += 1;
        let chance = |purpose, bound| scale(draw(self.link.key, self.sent, now, purpose), bound);
        let hears = self.hears[(flight.to * self.gateways + flight.from) as usize];
        if !hears || chance(PURPOSE_LOSS, PER_MILLION) < self.link.loss_ppm {
            self.lost += 1;
            return;
        }
        let spread = self.link.delay_max_micros - self.link.delay_min_micros + 1;
        let at = now + self.link.delay_min_micros + chance(PURPOSE_DELAY, spread);
        self.flights.insert((at, self.sent), flight);
    }

    /// It is there at `at`.
    pub fn arrive(&mut self, at: u64, flight: Flight) {
        self.sent += 1;
        self.flights.insert((at, self.sent), flight);
    }

    pub fn next_flight(&self) -> u64 {
        self.flights.first_key_value().map_or(u64::MAX, |((at, _), _)| *at)
    }

    pub fn pop_flight(&mut self) -> Option<Flight> {
        self.flights.pop_first().map(|(_, flight)| flight)
    }

    pub fn next_deadline(&self) -> u64 {
        self.deadlines.first().map_or(u64::MAX, |(at, _)| *at)
    }

    pub fn deadline_of(&self, gateway: u32) -> u64 {
        self.deadline_of[gateway as usize]
    }

    /// Whose turn it is; it must be given another one.
    pub fn pop_deadline(&mut self) -> Option<u32> {
        let (_, gateway) = self.deadlines.pop_first()?;
        self.deadline_of[gateway as usize] = u64::MAX;
        Some(gateway)
    }

    /// Gives a gateway its next turn.
    pub fn wake(&mut self, gateway: u32, at: u64) {
        self.rest(gateway);
        self.deadline_of[gateway as usize] = at;
        self.deadlines.insert((at, gateway));
    }

    /// A gateway has no turn until it is woken.
    pub fn rest(&mut self, gateway: u32) {
        let before = std::mem::replace(&mut self.deadline_of[gateway as usize], u64::MAX);
        self.deadlines.remove(&(before, gateway));
    }
}
