//! What becomes of members, told as events.

use super::Swarm;
use crate::membership::Known;
use crate::{Change, Event, MemberState};

impl Swarm {
    pub(super) fn tell_changes(&mut self, now: u64) {
        for (seat, before, after) in self.membership.changes() {
            self.tell(now, seat, before, after);
        }
    }

    fn tell(&mut self, now: u64, seat: usize, before: Known, after: Known) {
        if seat == self.own {
            self.counters.expulsions += 1;
            self.event(now, seat, after.incarnation, Change::Expelled);
            return;
        }
        let restarted = before.incarnation != after.incarnation;
        if before.state.is_active() && (restarted || !after.state.is_active()) {
            // Counted while it is kept out, too.
            self.seats[seat].damper.flap(now, &self.config.damping);
            self.seats[seat].load = None;
            if core::mem::take(&mut self.seats[seat].up) {
                self.event(now, seat, before.incarnation, Change::Down);
            }
        }
        if !restarted && self.seats[seat].up {
            match (before.state, after.state) {
                (MemberState::Alive, MemberState::Suspect) => {
                    self.event(now, seat, after.incarnation, Change::Suspect);
                }
                (MemberState::Suspect, MemberState::Alive) => {
                    self.event(now, seat, after.incarnation, Change::Cleared);
                }
                _ => {}
            }
        }
        self.let_up(now, seat);
    }

    /// Tells that a member is up, if it is and may be.
    pub(super) fn let_up(&mut self, now: u64, seat: usize) {
        let known = self.membership.known()[seat];
        let kept = &mut self.seats[seat];
        if kept.up || seat == self.own || !known.state.is_active() {
            return;
        }
        if kept.damper.allows(now, &self.config.damping) {
            (kept.up, kept.held) = (true, false);
            self.event(now, seat, known.incarnation, Change::Up);
        } else {
            self.anybody_held = true;
            if !core::mem::replace(&mut kept.held, true) {
                self.event(now, seat, known.incarnation, Change::Held);
            }
        }
    }

    fn event(&mut self, at: u64, seat: usize, incarnation: u64, change: Change) {
        if let Some(peer) = self.config.roster.peer(seat) {
            self.events.push(Event { at, gateway: peer.gateway, incarnation, change });
        }
    }
}
