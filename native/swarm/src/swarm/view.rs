//! What there is to see.

use super::Swarm;
use crate::threat::{Subject, ThreatCounters};
use crate::{Counters, Identity, Member};

impl Swarm {
    /// All gateways of the roster, in the order of their numbers.
    pub fn members(&self, now: u64) -> impl Iterator<Item = Member> {
        (0..self.seats.len()).filter_map(move |seat| self.member_at(now, seat))
    }

    /// One gateway of the roster.
    #[must_use]
    pub fn member(&self, now: u64, gateway: u16) -> Option<Member> {
        self.member_at(now, self.config.roster.seat_of(gateway)?)
    }

    fn member_at(&self, now: u64, seat: usize) -> Option<Member> {
        let peer = self.config.roster.peer(seat)?;
        let known = self.membership.known().get(seat)?;
        let kept = self.seats.get(seat)?;
        let is_self = seat == self.own;
        let age_max = self.config.timing.load_age_micros_max;
        let fresh = kept.load.filter(|(_, at)| now.saturating_sub(*at) <= age_max);
        Some(Member {
            gateway: peer.gateway,
            data: peer.data,
            gossip: peer.gossip,
            incarnation: known.incarnation,
            state: known.state,
            usable: is_self || kept.up,
            load: if is_self { Some(self.load) } else { fresh.map(|(load, _)| load) },
        })
    }

    /// Whether this gateway sees more than half of the roster alive, itself counted: on the smaller side of a partition it
    /// does not.
    #[must_use]
    pub fn sees_majority(&self) -> bool {
        let alive = self.membership.known().iter().filter(|known| known.state.is_active()).count();
        alive * 2 > self.seats.len()
    }

    /// This gateway as it is known now; its incarnation rises when the others had given it up.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.membership.identity()
    }

    /// All subjects that are blocked, in order.
    pub fn blocked(&self) -> impl Iterator<Item = Subject> {
        self.threats.table.blocked()
    }

    /// Whether a subject is blocked.
    #[must_use]
    pub fn is_blocked(&self, subject: &Subject) -> bool {
        self.threats.table.is_held(subject)
    }

    /// Subjects blocked, subjects accused, and reports kept, at present.
    #[must_use]
    pub fn threat_gauges(&self) -> (usize, usize, usize) {
        (self.threats.table.held(), self.threats.table.len(), self.threats.relay.len())
    }

    /// Counters so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Counters of threats so far.
    #[must_use]
    pub fn threat_counters(&self) -> ThreatCounters {
        self.threats.counters
    }

    /// Accusations of each gateway that ran out without anybody agreeing: whoever has many lies, or sees what is not there.
    pub fn uncorroborated(&self) -> impl Iterator<Item = (u16, u64)> {
        self.config.roster.peers().map(|peer| peer.gateway).zip(self.threats.uncorroborated.iter().copied())
    }
}
