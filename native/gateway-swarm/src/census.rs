//! Who is taken for alive: what the gateway shares the shards out by.
//!
//! By what is the case now and not by what has happened: a process that has started again before anybody missed it changes
//! nothing. A gateway that is kept out for flapping counts as alive: it takes its home shards at its start whatever the
//! others think, and two that fight for a shard serve it worse than one that comes and goes.

use klais_swarm::MemberState;

/// At the start whoever has not been heard of is taken for alive for so long, or a whole cluster that starts would first be
/// shared out among the few that are up.
const ALONE_MICROS: u64 = 2_000_000;
/// And for so long after the first one was heard of, who tells who else is there.
const SETTLING_MICROS: u64 = 1_000_000;

/// See the module.
#[derive(Debug)]
pub struct Census {
    own: usize,
    alive: Vec<bool>,
    states: Vec<MemberState>,
    /// Until when whoever is unknown counts as alive.
    settled: u64,
    met: bool,
    /// Shards taken away from this gateway so far.
    fenced: u64,
    /// On the smaller side, and somebody defends the shards of those that cannot be seen.
    yields: bool,
}

impl Census {
    /// All alive at `now`.
    pub fn new(own: usize, gateways: usize, now: u64) -> Self {
        Self {
            own,
            alive: vec![true; gateways],
            states: vec![MemberState::Unknown; gateways],
            settled: now.saturating_add(ALONE_MICROS),
            met: false,
            fenced: 0,
            yields: false,
        }
    }

    /// Takes in the states of all gateways, by number: who is taken for alive, or not, from now on. `fenced`: shards that
    /// others have taken away from this gateway so far.
    ///
    /// A gateway that sees only a minority takes the shards of the others like any other, since they may really be gone. But
    /// once such a shard is taken away again they are not: then it keeps to its home shards until something changes.
    pub fn update(
        &mut self,
        now: u64,
        states: impl Iterator<Item = MemberState>,
        sees_majority: bool,
        fenced: u64,
    ) -> Vec<(u32, bool)> {
        let states: Vec<_> = states.collect();
        let mut others = states.iter().enumerate().filter(|(place, _)| *place != self.own);
        if !self.met && others.any(|(_, state)| state.is_active()) {
            self.met = true;
            self.settled = self.settled.min(now.saturating_add(SETTLING_MICROS));
        }
        let is_fenced = std::mem::replace(&mut self.fenced, fenced) < fenced;
        let is_same = is_alike(&states, &self.states);
        self.yields = !sees_majority && is_same && (self.yields || is_fenced);
        self.states = states;
        let mut changes = Vec::new();
        for (place, (known, state)) in self.alive.iter_mut().zip(&self.states).enumerate() {
            let unheard = *state == MemberState::Unknown && now < self.settled;
            let alive = place == self.own || state.is_active() || unheard || self.yields;
            if std::mem::replace(known, alive) != alive {
                changes.push((place as u32, alive));
            }
        }
        changes
    }

    /// By number: who is taken for alive.
    pub fn alive(&self) -> &[bool] {
        &self.alive
    }

    /// When somebody's time to be heard of is over; `None` once it is.
    pub fn next_deadline(&self, now: u64) -> Option<u64> {
        (now < self.settled).then_some(self.settled)
    }
}

/// Whether the same ones are active.
fn is_alike(some: &[MemberState], others: &[MemberState]) -> bool {
    some.iter().map(|state| state.is_active()).eq(others.iter().map(|state| state.is_active()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use MemberState::{Alive, Down, Suspect, Unknown};

    const SECOND: u64 = 1_000_000;

    #[test]
    fn at_the_start_nobody_is_given_up_who_may_come_yet() {
        let mut census = Census::new(0, 3, 7);
        assert_eq!(census.update(7, [Alive, Unknown, Unknown].into_iter(), false, 0), []);
        let met = SECOND / 2;
        assert_eq!(census.update(met, [Alive, Alive, Unknown].into_iter(), true, 0), []);
        let settled = met + SETTLING_MICROS;
        assert_eq!(census.next_deadline(met), Some(settled));
        assert_eq!(census.update(settled, [Alive, Alive, Unknown].into_iter(), true, 0), [(2, false)]);
        assert_eq!(census.next_deadline(settled), None);
        let mut alone = Census::new(1, 3, 7);
        assert_eq!(alone.update(ALONE_MICROS, [Unknown, Alive, Unknown].into_iter(), false, 0), []);
        let after = alone.update(ALONE_MICROS + 7, [Unknown, Alive, Unknown].into_iter(), false, 0);
        assert_eq!(after, [(0, false), (2, false)]);
    }

    #[test]
    fn a_suspect_lives_and_a_restart_that_nobody_missed_changes_nothing() {
        let mut census = Census::new(0, 3, 0);
        census.update(1, [Alive; 3].into_iter(), true, 0);
        assert_eq!(census.update(2, [Alive, Suspect, Alive].into_iter(), true, 0), []);
        assert_eq!(census.update(3, [Alive, Down, Alive].into_iter(), true, 0), [(1, false)]);
        assert_eq!(census.alive(), [true, false, true]);
        assert_eq!(census.update(4, [Alive, Alive, Alive].into_iter(), true, 0), [(1, true)]);
    }

    #[test]
    fn a_minority_takes_what_nobody_defends() {
        let mut census = Census::new(0, 3, 0);
        census.update(1, [Alive; 3].into_iter(), true, 0);
        let cut_off = [Alive, Down, Down];
        assert_eq!(census.update(2, cut_off.into_iter(), false, 0), [(1, false), (2, false)]);
        assert_eq!(census.update(3, cut_off.into_iter(), false, 0), []);
        assert_eq!(census.update(4, cut_off.into_iter(), false, 1), [(1, true), (2, true)]);
        assert_eq!(census.update(5, cut_off.into_iter(), false, 1), []);
        // One is back: the other one's shards are to be had again.
        let healed = [Alive, Alive, Down];
        assert_eq!(census.update(6, healed.into_iter(), true, 1), [(2, false)]);
        assert_eq!(census.update(7, healed.into_iter(), true, 2), [], "the larger side does not yield");
    }
}
