//! Who is accused by whom, and what takes hold.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::{Evidence, Subject};
use crate::{Level, ThreatConfig};

/// Gateways that may accuse one subject at a time; more add nothing.
pub(crate) const VOTES_MAX: usize = 8;

/// What the dam is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Drop its frames from now on.
    Block(Subject),
    /// Do so no longer.
    Unblock(Subject),
}

/// What this gateway has seen of a subject itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Local {
    pub(crate) level: Level,
    /// It behaves well, here and lately.
    pub(crate) vouched: bool,
    /// Counts for as much as `level` says.
    pub(crate) evidence: Evidence,
}

impl Local {
    /// Nothing.
    pub(crate) const UNSEEN: Self = Self { level: Level::None, vouched: false, evidence: Evidence::SAID };
}

/// One gateway's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vote {
    pub(crate) reporter: u16,
    /// When it was given; a later one takes the place of an earlier one.
    pub(crate) issued: u64,
    pub(crate) until: u64,
    /// Taken back. Kept so that the word before, should it come late, stays taken back.
    pub(crate) withdrawn: bool,
}

#[derive(Default)]
struct Case {
    votes: Vec<Vote>,
    held_until: Option<u64>,
    was_held: bool,
    vetoed: bool,
}

/// What came of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) action: Option<Action>,
    /// This gateway is to add its word: somebody else has accused, and it has seen something itself.
    pub(crate) second: bool,
    /// It does not take hold, because this gateway sees it behave.
    pub(crate) vetoed: bool,
}

/// Why a vote was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// See the module. Times by the wall clock.
pub(crate) struct Table {
    own: u16,
    cases: BTreeMap<Subject, Case>,
    timers: BTreeSet<(u64, Subject)>,
    /// Cases per accuser.
    counts: BTreeMap<u16, u32>,
    held: usize,
}

impl Table {
    pub(crate) fn new(own: u16) -> Self {
        Self { own, cases: BTreeMap::new(), timers: BTreeSet::new(), counts: BTreeMap::new(), held: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.cases.len()
    }

    /// Subjects that are blocked.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn is_held(&self, subject: &Subject) -> bool {
        self.cases.get(subject).is_some_and(|case| case.held_until.is_some())
    }

    /// Whether anybody has said anything.
    pub(crate) fn is_accused(&self, subject: &Subject) -> bool {
        self.cases.contains_key(subject)
    }

    /// All that are blocked.
    pub(crate) fn blocked(&self) -> impl Iterator<Item = Subject> {
        self.cases.iter().filter(|(_, case)| case.held_until.is_some()).map(|(subject, _)| *subject)
    }

    /// Takes a vote.
    ///
    /// # Errors
    /// [`Full`]: its giver, or all others together, have as many cases as they may. Nothing has changed.
    pub(crate) fn vote(&mut self, config: &ThreatConfig, subject: Subject, vote: Vote) -> Result<(), Full> {
        let count = self.counts.get(&vote.reporter).copied().unwrap_or(0);
        let case = self.cases.get(&subject);
        let is_known = case.is_some_and(|case| case.votes.iter().any(|v| v.reporter == vote.reporter));
        let is_over = count >= config.subjects_per_reporter_max
            || (case.is_none()
                && vote.reporter != self.own
                && self.cases.len() >= config.subjects_max as usize);
        if !is_known && is_over {
            return Err(Full);
        }
        let case = self.cases.entry(subject).or_default();
        let before = next_timer(case);
        if let Some(given) = case.votes.iter_mut().find(|given| given.reporter == vote.reporter) {
            if given.issued < vote.issued {
                *given = vote;
            }
        } else {
            if case.votes.len() >= VOTES_MAX {
                let own = self.own;
                let others = case.votes.iter().enumerate().filter(|(_, given)| given.reporter != own);
                let Some((soonest, _)) = others.min_by_key(|(_, given)| given.until) else {
                    return Err(Full);
                };
                let gone = case.votes.swap_remove(soonest);
                uncount(&mut self.counts, gone.reporter);
            }
            case.votes.push(vote);
            *self.counts.entry(vote.reporter).or_default() += 1;
        }
        let after = next_timer(case);
        self.retime(subject, before, after);
        Ok(())
    }

    /// Decides a case by what is known now.
    pub(crate) fn judge(
        &mut self,
        config: &ThreatConfig,
        wall: u64,
        subject: Subject,
        local: Local,
    ) -> Verdict {
        let own = self.own;
        let Some(case) = self.cases.get_mut(&subject) else { return Verdict::default() };
        let mut untils: Vec<_> = case
            .votes
            .iter()
            .filter(|vote| !vote.withdrawn && vote.until > wall)
            .map(|vote| (vote.until, vote.reporter))
            .collect();
        untils.sort_unstable_by(|a, b| b.cmp(a));
        let own_until = untils.iter().find(|(_, reporter)| *reporter == own).map(|(until, _)| *until);
        let by_others = untils.get(usize::from(config.quorum).saturating_sub(1)).map(|(until, _)| *until);
        // Who is blocked cannot be seen to behave.
        let vetoed = by_others.is_some() && local.vouched && case.held_until.is_none() && own_until.is_none();
        let until = own_until.max(by_others.filter(|_| !vetoed));
        let second = own_until.is_none() && !untils.is_empty() && local.level >= Level::Weak;
        let action = match (case.held_until.is_some(), until.is_some()) {
            (false, true) => Some(Action::Block(subject)),
            (true, false) => Some(Action::Unblock(subject)),
            _ => None,
        };
        match action {
            Some(Action::Block(_)) => self.held += 1,
            Some(Action::Unblock(_)) => self.held -= 1,
            None => {}
        }
        case.held_until = until;
        case.was_held |= until.is_some();
        let newly_vetoed = vetoed && !case.vetoed;
        case.vetoed |= vetoed;
        Verdict { action, second, vetoed: newly_vetoed }
    }

    /// When [`Table::next_over`] has something to tell.
    pub(crate) fn next_expiry(&self) -> Option<u64> {
        self.timers.first().map(|(until, _)| *until)
    }

    /// A subject of which a vote is over: it is to be judged again, and then to be left to [`Table::tidy`].
    pub(crate) fn next_over(&mut self, wall: u64) -> Option<Subject> {
        self.timers.first().filter(|(until, _)| *until <= wall).map(|(_, subject)| *subject)
    }

    /// Forgets the votes on a subject that are over, and the case with its last. Who accused and found nobody to agree.
    pub(crate) fn tidy(&mut self, wall: u64, subject: Subject) -> Vec<u16> {
        let Some(case) = self.cases.get_mut(&subject) else { return Vec::new() };
        let before = next_timer(case);
        let mut alone = Vec::new();
        let (counts, was_held) = (&mut self.counts, case.was_held);
        case.votes.retain(|vote| {
            let stays = vote.until > wall;
            if !stays {
                uncount(counts, vote.reporter);
                if !was_held && !vote.withdrawn {
                    alone.push(vote.reporter);
                }
            }
            stays
        });
        let after = next_timer(case);
        if case.votes.is_empty() {
            self.held -= usize::from(case.held_until.is_some());
            self.cases.remove(&subject);
        }
        self.retime(subject, before, after);
        alone
    }

    /// Forgets all that was said of a subject.
    pub(crate) fn forget(&mut self, subject: Subject) {
        let Some(case) = self.cases.remove(&subject) else { return };
        for vote in &case.votes {
            uncount(&mut self.counts, vote.reporter);
        }
        self.held -= usize::from(case.held_until.is_some());
        self.retime(subject, next_timer(&case), None);
    }

    fn retime(&mut self, subject: Subject, before: Option<u64>, after: Option<u64>) {
        if before == after {
            return;
        }
        if let Some(before) = before {
            self.timers.remove(&(before, subject));
        }
        if let Some(after) = after {
            self.timers.insert((after, subject));
        }
    }
}

fn next_timer(case: &Case) -> Option<u64> {
    case.votes.iter().map(|vote| vote.until).min()
}

fn uncount(counts: &mut BTreeMap<u16, u32>, reporter: u16) {
    if let Some(count) = counts.get_mut(&reporter) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&reporter);
        }
    }
}
