//! Foca, with its timers kept and its changes told.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::{NonZeroU8, NonZeroUsize};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use foca::{AccumulatingRuntime, Foca, NoCustomBroadcast, OwnedNotification, State, Timer};

use crate::codec::{KIND_AT, KIND_TURN_UNDEAD, MEMBERSHIP_BYTES_MAX, NodeCodec};
use crate::random::Draws;
use crate::{Identity, MemberState, Refusal, Roster, SwarmConfig};

/// Transmissions of an update beyond log2 of the members: each brings the chance that somebody misses it down by e.
const TRANSMISSIONS_EXTRA: u32 = 6;
/// Rounds that come early after a change.
const NEWS_ROUNDS: u8 = 2;
/// The shortest time between two of this gateway's incarnations: who tells it that it is down cannot make it chatter.
const RENEWAL_MICROS_MIN: u64 = 200_000;

/// What is known of a gateway of the roster.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) incarnation: u64,
    pub(crate) state: MemberState,
}

/// See the module.
pub(crate) struct Membership {
    foca: Foca<Identity, NodeCodec, Draws, NoCustomBroadcast>,
    runtime: AccumulatingRuntime<Identity>,
    roster: Arc<Roster>,
    own: usize,
    /// By the time they are due at, in time as experienced, and in the order of their making. Few: foca sets one per probe,
    /// one per suspect, and void ones after a reconnect, which [`RENEWAL_MICROS_MIN`] spaces.
    timers: BTreeMap<(u64, u64), Timer<Identity>>,
    timers_made: u64,
    /// Time that passed while the process did not run: it counts against nobody.
    slept_micros: u64,
    /// When the driver was to come back last.
    due: u64,
    tolerance_micros: u64,
    connected: bool,
    renewed: u64,
    known: Vec<Known>,
    /// Members written by foca's codec, now and when it was last looked for changes.
    written: Arc<AtomicU64>,
    looked_at: u64,
    /// Rounds that are to come early, since something has changed.
    news: u8,
}

impl Membership {
    pub(crate) fn new(config: &SwarmConfig, own: usize, identity: Identity, seed: u64, now: u64) -> Self {
        let roster = config.roster.clone();
        let draws = Draws::new(seed, identity.gateway.into());
        let written = Arc::new(AtomicU64::new(0));
        let codec = NodeCodec::new(roster.clone(), written.clone());
        let mut known = alloc::vec![Known::default(); roster.len()];
        known[own] = Known { incarnation: identity.incarnation, state: MemberState::Alive };
        Self {
            foca: Foca::new(identity, foca_config(config), draws, codec),
            runtime: AccumulatingRuntime::new(),
            roster,
            own,
            timers: BTreeMap::new(),
            timers_made: 0,
            slept_micros: 0,
            due: u64::MAX,
            tolerance_micros: config.timing.probe_rtt_micros,
            connected: false,
            renewed: now,
            known,
            written,
            looked_at: 0,
            news: 0,
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        *self.foca.identity()
    }

    /// By the places in the roster.
    pub(crate) fn known(&self) -> &[Known] {
        &self.known
    }

    /// Whether foca has met anybody.
    pub(crate) fn is_connected(&self) -> bool {
        self.connected
    }

    /// The driver is back, `due` was when it was to be. Whether it was so late that this process must have slept: then
    /// answers lie unread, and the time missed is taken off all waits.
    pub(crate) fn wake(&mut self, now: u64) -> bool {
        let late = now.saturating_sub(self.due);
        let slept = late > self.tolerance_micros;
        if slept {
            self.slept_micros += late - self.tolerance_micros;
            self.due = now;
        }
        slept
    }

    /// When the driver is to be back.
    pub(crate) fn expect(&mut self, due: u64) {
        self.due = due;
    }

    /// When [`Membership::poll`] has something to do.
    pub(crate) fn next_deadline(&self) -> u64 {
        let first = self.timers.first_key_value();
        first.map_or(u64::MAX, |((due, _), _)| due.saturating_add(self.slept_micros))
    }

    /// Takes in foca's part of a datagram.
    pub(crate) fn receive(&mut self, now: u64, bytes: &[u8]) -> Result<(), Refusal> {
        let is_turn_undead = bytes.get(KIND_AT) == Some(&KIND_TURN_UNDEAD);
        if is_turn_undead && now.saturating_sub(self.renewed) < RENEWAL_MICROS_MIN {
            return Err(Refusal::Hasty);
        }
        let result = self.foca.handle_data(bytes, &mut self.runtime);
        self.settle(now);
        result.map_err(|_| Refusal::Membership)
    }

    /// Does what is due.
    pub(crate) fn poll(&mut self, now: u64) {
        let experienced = self.experienced(now);
        while let Some(entry) = self.timers.first_entry() {
            if entry.key().0 > experienced {
                break;
            }
            let timer = entry.remove();
            if self.is_void(&timer) {
                continue;
            }
            // What it may complain of it has put right.
            let _ = self.foca.handle_timer(timer, &mut self.runtime);
            self.settle(now);
        }
    }

    /// A suspect's time is up, but it has spoken up meanwhile. Foca 2.0.0 knows that it is not down then, and tells it that it
    /// is all the same, whereupon it takes a new identity: a lost datagram would have the effect of a crash.
    fn is_void(&self, timer: &Timer<Identity>) -> bool {
        let Timer::ChangeSuspectToDown { member_id, incarnation, .. } = timer else { return false };
        let mut members = self.foca.iter_membership_state();
        !members.any(|member| {
            member.id() == member_id
                && member.incarnation() == *incarnation
                && member.state() == State::Suspect
        })
    }

    /// Tells a few random members something.
    pub(crate) fn gossip(&mut self, now: u64) {
        self.news = self.news.saturating_sub(1);
        let _ = self.foca.gossip(&mut self.runtime);
        self.settle(now);
    }

    /// Calls a gateway that may or may not be there.
    pub(crate) fn call(&mut self, now: u64, seat: usize) {
        if let (Some(peer), Some(known)) = (self.roster.peer(seat), self.known.get(seat)) {
            let there = Identity { gateway: peer.gateway, incarnation: known.incarnation };
            let _ = self.foca.announce(there, &mut self.runtime);
            self.settle(now);
        }
    }

    /// Tells the others that this gateway ends.
    pub(crate) fn leave(&mut self, now: u64) {
        let _ = self.foca.leave_cluster(&mut self.runtime);
        self.settle(now);
    }

    /// Others know a later process of this gateway's number than this one: it becomes a later one still. Whether it did.
    pub(crate) fn outdo(&mut self, now: u64, incarnation: u64) -> bool {
        let identity = self.identity();
        let hasty = now.saturating_sub(self.renewed) < RENEWAL_MICROS_MIN;
        let Some(later) = incarnation.checked_add(1).filter(|_| incarnation > identity.incarnation && !hasty)
        else {
            return false;
        };
        self.renewed = now;
        self.connected = false;
        let _ = self.foca.change_identity(Identity { incarnation: later, ..identity }, &mut self.runtime);
        self.settle(now);
        true
    }

    /// Whether a change is still to be told for the first times.
    pub(crate) fn has_news(&self) -> bool {
        self.news > 0
    }

    /// A message of foca's for another gateway.
    pub(crate) fn next_message(&mut self) -> Option<(Identity, bytes::Bytes)> {
        self.runtime.to_send()
    }

    /// Notes timers, and whether it is connected.
    fn settle(&mut self, now: u64) {
        let experienced = self.experienced(now);
        while let Some((after, timer)) = self.runtime.to_schedule() {
            let after = u64::try_from(after.as_micros()).unwrap_or(u64::MAX);
            self.timers_made += 1;
            self.timers.insert((experienced.saturating_add(after), self.timers_made), timer);
        }
        while let Some(notification) = self.runtime.to_notify() {
            match notification {
                OwnedNotification::Active => self.connected = true,
                OwnedNotification::Idle | OwnedNotification::Defunct => self.connected = false,
                OwnedNotification::Rejoin(_) => {
                    self.connected = false;
                    self.renewed = now;
                }
                _ => {}
            }
        }
    }

    /// What has changed since the last call: seat, before, after; this gateway's own incarnation among it.
    pub(crate) fn changes(&mut self) -> Vec<(usize, Known, Known)> {
        let mut changes = Vec::new();
        let own = &mut self.known[self.own];
        if own.incarnation != self.foca.identity().incarnation {
            let before = *own;
            own.incarnation = self.foca.identity().incarnation;
            changes.push((self.own, before, *own));
        }
        let written = self.written.load(Relaxed);
        if core::mem::replace(&mut self.looked_at, written) == written {
            return changes;
        }
        for member in self.foca.iter_membership_state() {
            let Some(seat) = self.roster.seat_of(member.id().gateway).filter(|seat| *seat != self.own) else {
                continue;
            };
            let state = match member.state() {
                State::Alive => MemberState::Alive,
                State::Suspect => MemberState::Suspect,
                State::Down => MemberState::Down,
            };
            let after = Known { incarnation: member.id().incarnation, state };
            let before = core::mem::replace(&mut self.known[seat], after);
            if before != after {
                changes.push((seat, before, after));
            }
        }
        // Foca lists members in a random order.
        changes.sort_unstable_by_key(|(seat, _, _)| *seat);
        // Who is new will be heard of soon enough.
        if changes.iter().any(|(_, before, _)| before.state != MemberState::Unknown) {
            self.news = NEWS_ROUNDS;
        }
        changes
    }

    fn experienced(&self, now: u64) -> u64 {
        now.saturating_sub(self.slept_micros)
    }
}

fn foca_config(config: &SwarmConfig) -> foca::Config {
    let timing = &config.timing;
    let gateways = config.roster.len();
    let transmissions = config.roster.bits() + TRANSMISSIONS_EXTRA;
    let transmissions = u8::try_from(transmissions).ok().and_then(NonZeroU8::new);
    let fanout = NonZeroUsize::new(config.fanout.into()).unwrap_or(NonZeroUsize::MIN);
    foca::Config {
        probe_period: Duration::from_micros(timing.probe_period_micros),
        probe_rtt: Duration::from_micros(timing.probe_rtt_micros),
        num_indirect_probes: fanout,
        max_transmissions: transmissions.unwrap_or(NonZeroU8::MAX),
        suspect_to_down_after: Duration::from_micros(timing.suspicion_micros_of(gateways)),
        // The roster bounds how many there are to remember.
        remove_down_after: None,
        max_packet_size: NonZeroUsize::new(MEMBERSHIP_BYTES_MAX).unwrap_or(NonZeroUsize::MIN),
        notify_down_members: true,
        // The swarm has ticks of its own, which go on when foca has nothing to tell.
        periodic_announce: None,
        periodic_announce_to_down_members: None,
        periodic_gossip: None,
    }
}
