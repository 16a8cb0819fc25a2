//! Reports on their way: each is passed on a number of times, and kept for those who missed it.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::ops::Bound::{Excluded, Unbounded};

use klais_units::draw;

use super::ReportId;
use crate::wire::Sealer;

/// Reports of one gateway that are kept at a time.
const REPORTS_PER_REPORTER_MAX: u32 = 2_048;
/// Reports that are kept in all.
const REPORTS_MAX: usize = 16_384;
/// Reports for somebody who lacks some, beside the fresh ones, per datagram.
const REPAIRS_PER_DATAGRAM: usize = 2;
/// Reporters that are asked in vain for something that fits, before the datagram is left as it is.
const MISSES_MAX: usize = 16;
const PURPOSE: u64 = 0x7377_6172_6d00_0002;

struct Stored {
    bytes: Box<[u8]>,
    /// Times that it is still to be passed on.
    left: u8,
}

/// See the module.
#[derive(Default)]
pub(crate) struct Relay {
    stored: BTreeMap<ReportId, Stored>,
    by_expiry: BTreeSet<(u64, ReportId)>,
    /// What is still to be passed on, by reporter: they take turns, so that who reports much is not heard more.
    fresh: BTreeMap<u16, VecDeque<ReportId>>,
    counts: BTreeMap<u16, u32>,
    /// Who had a turn last.
    turn: u16,
    /// What was sent last for repair.
    repaired: Option<ReportId>,
    digest: u64,
}

impl Relay {
    pub(crate) fn knows(&self, id: ReportId) -> bool {
        self.stored.contains_key(&id)
    }

    /// Depends on which reports are kept, in whatever order they came.
    pub(crate) fn digest(&self) -> u64 {
        self.digest
    }

    /// Whether something waits to be passed on.
    pub(crate) fn has_news(&self) -> bool {
        !self.fresh.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.stored.len()
    }

    /// Whether another report of this gateway would be kept.
    pub(crate) fn has_room(&self, reporter: u16) -> bool {
        let count = self.counts.get(&reporter).copied().unwrap_or(0);
        count < REPORTS_PER_REPORTER_MAX && self.stored.len() < REPORTS_MAX
    }

    /// Keeps a report until `until`, and passes it on `transmissions` times. There is room, and it is new.
    pub(crate) fn store(&mut self, id: ReportId, bytes: Box<[u8]>, until: u64, transmissions: u8) {
        self.by_expiry.insert((until, id));
        self.stored.insert(id, Stored { bytes, left: transmissions });
        *self.counts.entry(id.reporter).or_default() += 1;
        self.digest ^= hash(id);
        if transmissions > 0 {
            self.fresh.entry(id.reporter).or_default().push_back(id);
        }
    }

    /// When [`Relay::expire`] has something to do, by the wall clock.
    pub(crate) fn next_expiry(&self) -> Option<u64> {
        self.by_expiry.first().map(|(until, _)| *until)
    }

    /// Forgets what is over.
    pub(crate) fn expire(&mut self, wall: u64) {
        while let Some((until, id)) = self.by_expiry.first().copied().filter(|(until, _)| *until <= wall) {
            self.by_expiry.remove(&(until, id));
            self.stored.remove(&id);
            self.digest ^= hash(id);
            if let Some(count) = self.counts.get_mut(&id.reporter) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&id.reporter);
                }
            }
        }
    }

    /// Puts reports for gateway `to` into a datagram: fresh ones, and if it lacks some, others in turn.
    pub(crate) fn fill(&mut self, sealer: &mut Sealer, to: u16, lacks_some: bool) {
        let mut taken = Vec::new();
        let mut misses = 0;
        while misses < MISSES_MAX.min(self.fresh.len()) {
            let Some(reporter) = self.next_reporter() else { break };
            self.turn = reporter;
            if reporter == to || !self.pass_on(reporter, sealer, &mut taken) {
                misses += 1;
            } else {
                misses = 0;
            }
        }
        if lacks_some {
            self.repair(sealer, to, &taken);
        }
    }

    fn next_reporter(&self) -> Option<u16> {
        let after = self.fresh.range((Excluded(self.turn), Unbounded)).next();
        after.or_else(|| self.fresh.first_key_value()).map(|(reporter, _)| *reporter)
    }

    /// Passes on the next report of a gateway. Whether one fitted.
    fn pass_on(&mut self, reporter: u16, sealer: &mut Sealer, taken: &mut Vec<ReportId>) -> bool {
        let Some(queue) = self.fresh.get_mut(&reporter) else { return false };
        let mut added = false;
        // What is over is in no queue for long.
        while let Some(id) = queue.front().copied() {
            let Some(stored) = self.stored.get_mut(&id) else {
                queue.pop_front();
                continue;
            };
            if taken.contains(&id) || !sealer.add(&stored.bytes) {
                break;
            }
            queue.pop_front();
            taken.push(id);
            stored.left -= 1;
            if stored.left > 0 {
                queue.push_back(id);
            }
            added = true;
            break;
        }
        if queue.is_empty() {
            self.fresh.remove(&reporter);
        }
        added
    }

    fn repair(&mut self, sealer: &mut Sealer, to: u16, taken: &[ReportId]) {
        let mut looked = 0;
        let mut repaired = 0;
        while repaired < REPAIRS_PER_DATAGRAM && looked < MISSES_MAX.min(self.stored.len()) {
            let after = self.repaired.map_or(Unbounded, Excluded);
            let next = self.stored.range((after, Unbounded)).next();
            let Some((id, stored)) = next.or_else(|| self.stored.first_key_value()) else { return };
            let id = *id;
            looked += 1;
            if id.reporter != to && !taken.contains(&id) && !sealer.add(&stored.bytes) {
                return;
            }
            repaired += usize::from(id.reporter != to && !taken.contains(&id));
            self.repaired = Some(id);
        }
    }
}

fn hash(id: ReportId) -> u64 {
    draw(PURPOSE, id.reporter.into(), id.issued, 0)
}
