//! Reports made, taken, judged and told on.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use ed25519_dalek::SigningKey;
use klais_units::MICROS_PER_SECOND;

use super::report;
use super::table::{Table, Vote};
use super::{Action, Evidence, Local, Relay, Report, ReportId, Subject};
use crate::clock::SKEW_MICROS_MAX;
use crate::meter::Meter;
use crate::{ReportRefusal, Roster, ThreatConfig};

/// What is detected within this time goes into one report.
const BATCH_MICROS: u64 = 20_000;
/// Reports of one gateway that are looked at per second, and at once.
const REPORTS_PER_SECOND: (u64, u64) = (64, 256);
/// Reports that are looked at per second in all, and at once: checking a signature takes some 50 us.
const REPORTS_PER_SECOND_IN_ALL: (u64, u64) = (1_000, 1_000);
/// Subjects that the operator may have pardoned at a time.
const PARDONS_MAX: usize = 1 << 16;

/// What became of threats. Counters only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreatCounters {
    /// Reports that this gateway has made.
    pub reports_made: u64,
    /// Reports of others that were taken.
    pub reports_taken: u64,
    /// Reports of others that were not, in the order of [`ReportRefusal::NAMES`].
    pub reports_refused: [u64; ReportRefusal::NAMES.len()],
    /// Subjects in reports taken for which there was no room.
    pub subjects_refused: u64,
    /// Subjects that this gateway detected itself.
    pub detected: u64,
    /// Subjects that others reported first and this gateway then too, on what it had seen.
    pub seconded: u64,
    /// Times that a subject was blocked.
    pub blocks: u64,
    /// Blocks that ended with their time.
    pub expired: u64,
    /// Blocks that ended because a report was taken back, or the operator pardoned: they were wrong.
    pub overruled: u64,
    /// Subjects that enough others reported and that this gateway did not block, because it saw them behave.
    pub vetoed: u64,
    /// Accusations that ran out without anybody agreeing.
    pub uncorroborated: u64,
}

struct Batch {
    subjects: Vec<Subject>,
    evidence: Evidence,
    due: u64,
}

/// See the module. Times by the wall clock.
pub(crate) struct Threats {
    own: u16,
    config: ThreatConfig,
    devices: u32,
    key: SigningKey,
    transmissions: u8,
    pub(crate) relay: Relay,
    pub(crate) table: Table,
    /// What was detected and is not reported yet, by the kinds of subject and evidence.
    batches: BTreeMap<(u8, u8), Batch>,
    pardons: BTreeMap<Subject, u64>,
    last_issued: u64,
    meters: Vec<Meter>,
    meter: Meter,
    pub(crate) actions: Vec<Action>,
    pub(crate) counters: ThreatCounters,
    /// Uncorroborated accusations, by the place of the accuser in the roster.
    pub(crate) uncorroborated: Vec<u64>,
}

impl Threats {
    pub(crate) fn new(
        own: u16,
        config: ThreatConfig,
        devices: u32,
        key: SigningKey,
        roster: &Roster,
    ) -> Self {
        let (rate, burst) = REPORTS_PER_SECOND;
        let (rate_in_all, burst_in_all) = REPORTS_PER_SECOND_IN_ALL;
        Self {
            own,
            config,
            devices,
            key,
            transmissions: u8::try_from(roster.bits() + 4).unwrap_or(u8::MAX),
            relay: Relay::default(),
            table: Table::new(own),
            batches: BTreeMap::new(),
            pardons: BTreeMap::new(),
            last_issued: 0,
            meters: alloc::vec![Meter::new(rate, burst); roster.len()],
            meter: Meter::new(rate_in_all, burst_in_all),
            actions: Vec::new(),
            counters: ThreatCounters::default(),
            uncorroborated: alloc::vec![0; roster.len()],
        }
    }

    /// Takes another gateway's report, unless it is known already. Its subjects are to be judged then.
    ///
    /// # Errors
    /// Why it was not taken; counted.
    pub(crate) fn take(
        &mut self,
        wall: u64,
        bytes: &[u8],
        roster: &Roster,
    ) -> Result<Vec<Subject>, ReportRefusal> {
        let taken = self.try_take(wall, bytes, roster);
        if let Err(refusal) = taken {
            self.counters.reports_refused[refusal as usize] += 1;
        }
        taken
    }

    fn try_take(&mut self, wall: u64, bytes: &[u8], roster: &Roster) -> Result<Vec<Subject>, ReportRefusal> {
        let id = report::id_of(bytes).map_err(|_| ReportRefusal::Malformed)?;
        if id.reporter == self.own || self.relay.knows(id) {
            return Ok(Vec::new());
        }
        let seat = roster.seat_of(id.reporter).ok_or(ReportRefusal::Reporter)?;
        let key = roster.key(seat).ok_or(ReportRefusal::Reporter)?;
        if id.issued > wall.saturating_add(SKEW_MICROS_MAX) {
            return Err(ReportRefusal::Clock);
        }
        let report = Report::read(bytes, self.devices).map_err(|_| ReportRefusal::Malformed)?;
        let until = self.until(&report);
        if until <= wall {
            return Err(ReportRefusal::Expired);
        }
        if !self.relay.has_room(id.reporter) {
            return Err(ReportRefusal::Quota);
        }
        if !self.meters[seat].allows(wall) || !self.meter.allows(wall) {
            return Err(ReportRefusal::Rate);
        }
        if !report::is_signed(bytes, key) {
            return Err(ReportRefusal::Signature);
        }
        self.counters.reports_taken += 1;
        self.relay.store(id, Box::from(bytes), until, self.transmissions);
        self.enter(&report, until);
        Ok(report.subjects)
    }

    /// When a report ends. One that takes back is kept as long as what it takes back may live.
    fn until(&self, report: &Report) -> u64 {
        let longest = self.config.ttl_seconds_max;
        let ttl_seconds = if report.ttl_seconds == 0 { longest } else { report.ttl_seconds.min(longest) };
        report.id.issued.saturating_add(u64::from(ttl_seconds) * MICROS_PER_SECOND)
    }

    fn enter(&mut self, report: &Report, until: u64) {
        for subject in &report.subjects {
            let vote = Vote {
                reporter: report.id.reporter,
                issued: report.id.issued,
                until,
                withdrawn: report.ttl_seconds == 0,
            };
            if self.table.vote(&self.config, *subject, vote).is_err() {
                self.counters.subjects_refused += 1;
            }
        }
    }

    /// Decides a subject anew; `local` is what this gateway has seen of it.
    pub(crate) fn judge(&mut self, wall: u64, subject: Subject, local: Local) {
        if self.pardons.get(&subject).is_some_and(|until| *until > wall) {
            return;
        }
        let verdict = self.table.judge(&self.config, wall, subject, local);
        self.counters.vetoed += u64::from(verdict.vetoed);
        if let Some(action) = verdict.action {
            self.act(action);
        }
        if verdict.second {
            self.counters.seconded += 1;
            self.accuse(wall, subject, local.evidence);
        }
    }

    /// This gateway accuses: it believes itself, and tells the others within [`BATCH_MICROS`].
    pub(crate) fn accuse(&mut self, wall: u64, subject: Subject, evidence: Evidence) {
        if self.pardons.get(&subject).is_some_and(|until| *until > wall) {
            return;
        }
        let batch = self.batches.entry((subject.kind().number(), evidence.kind as u8)).or_insert(Batch {
            subjects: Vec::new(),
            evidence,
            due: wall.saturating_add(BATCH_MICROS),
        });
        batch.evidence.observed = batch.evidence.observed.min(evidence.observed);
        batch.evidence.expected = batch.evidence.expected.max(evidence.expected);
        batch.subjects.push(subject);
        let is_full = batch.subjects.len() >= report::subjects_max(subject.kind());
        let until = wall.saturating_add(u64::from(self.config.ttl_seconds) * MICROS_PER_SECOND);
        let vote = Vote { reporter: self.own, issued: wall, until, withdrawn: false };
        if self.table.vote(&self.config, subject, vote).is_err() {
            self.counters.subjects_refused += 1;
        }
        let verdict = self.table.judge(&self.config, wall, subject, Local::UNSEEN);
        if let Some(action) = verdict.action {
            self.act(action);
        }
        if is_full {
            self.report(wall, true);
        }
    }

    /// Makes reports of what was detected: of all that is due, or of full batches only.
    fn report(&mut self, wall: u64, full_only: bool) {
        let batches = core::mem::take(&mut self.batches);
        for (kinds, batch) in batches {
            let is_full = batch
                .subjects
                .first()
                .is_some_and(|subject| batch.subjects.len() >= report::subjects_max(subject.kind()));
            if is_full || (!full_only && batch.due <= wall) {
                self.publish(wall, batch.subjects, batch.evidence, self.config.ttl_seconds);
            } else {
                self.batches.insert(kinds, batch);
            }
        }
    }

    fn publish(&mut self, wall: u64, subjects: Vec<Subject>, evidence: Evidence, ttl_seconds: u16) {
        let issued = wall.max(self.last_issued.saturating_add(1));
        self.last_issued = issued;
        let id = ReportId { reporter: self.own, issued };
        let report = Report { id, ttl_seconds, evidence, subjects };
        let until = self.until(&report);
        if let Some(bytes) = report.sign(&self.key).filter(|_| self.relay.has_room(self.own)) {
            self.counters.reports_made += 1;
            self.relay.store(id, bytes, until, self.transmissions);
        }
        self.enter(&report, until);
    }

    /// The operator says that a subject is innocent: it is blocked no more, and not again before `until`, here; and this
    /// gateway takes back what it said. Whether there was room to remember it.
    pub(crate) fn pardon(&mut self, wall: u64, subject: Subject, until: u64) -> bool {
        self.pardons.retain(|_, until| *until > wall);
        if self.pardons.len() >= PARDONS_MAX && !self.pardons.contains_key(&subject) {
            return false;
        }
        if self.table.is_accused(&subject) {
            self.publish(wall, alloc::vec![subject], Evidence::SAID, 0);
        }
        for batch in self.batches.values_mut() {
            batch.subjects.retain(|each| *each != subject);
        }
        self.batches.retain(|_, batch| !batch.subjects.is_empty());
        let was_held = self.table.is_held(&subject);
        self.table.forget(subject);
        self.pardons.insert(subject, until);
        if was_held {
            self.counters.overruled += 1;
            self.actions.push(Action::Unblock(subject));
        }
        true
    }

    /// When [`Threats::poll`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<u64> {
        let batch = self.batches.values().map(|batch| batch.due).min();
        [batch, self.relay.next_expiry(), self.table.next_expiry()].into_iter().flatten().min()
    }

    /// Makes reports that are due, and forgets what is over.
    pub(crate) fn poll(&mut self, wall: u64, roster: &Roster) {
        self.report(wall, false);
        self.relay.expire(wall);
        while let Some(subject) = self.table.next_over(wall) {
            let verdict = self.table.judge(&self.config, wall, subject, Local::UNSEEN);
            if let Some(action) = verdict.action {
                self.counters.expired += u64::from(matches!(action, Action::Unblock(_)));
                self.push(action);
            }
            for reporter in self.table.tidy(wall, subject) {
                self.counters.uncorroborated += 1;
                if let Some(count) =
                    roster.seat_of(reporter).and_then(|seat| self.uncorroborated.get_mut(seat))
                {
                    *count += 1;
                }
            }
        }
    }

    fn act(&mut self, action: Action) {
        self.counters.overruled += u64::from(matches!(action, Action::Unblock(_)));
        self.push(action);
    }

    fn push(&mut self, action: Action) {
        self.counters.blocks += u64::from(matches!(action, Action::Block(_)));
        self.actions.push(action);
    }
}
