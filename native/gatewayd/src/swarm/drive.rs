//! The swarm's turn in the loop, and what follows from it.

use super::gossip::FRAMES_MAX;
use super::observe::real_micros;
use crate::clock::{monotonic_nanos, thread_cpu_nanos};
use crate::daemon::Daemon;
use crate::prefixes::PREFIXES_MAX;
use ipnet::{IpNet, Ipv6Net};
use klais_swarm::{Action, Change, Subject};
use klais_units::{MICROS_PER_SECOND, NANOS_PER_MICRO};
use std::collections::BTreeSet;
use tracing::{info, warn};

/// For so long a subject that the operator has unblocked is not blocked by the swarm again.
const PARDON_MICROS: u64 = 600 * MICROS_PER_SECOND;
/// The first one, and one in so many after it, of blocks without room is logged.
const UNPLACED_PER_LINE: u64 = 10_000;

impl Daemon {
    /// Takes gossip in, does what is due, sends gossip out.
    pub(crate) fn gossip(&mut self, monotonic: u64) {
        let now = monotonic / NANOS_PER_MICRO;
        let Some(gossip) = &mut self.gossip else { return };
        if !gossip.has_work(now) {
            return;
        }
        let cpu = thread_cpu_nanos();
        let is_due = now >= gossip.due;
        let has_news = gossip.receive(now) || is_due;
        if is_due {
            self.tell_load(monotonic);
            self.sweep(now);
            if let Some(gossip) = &mut self.gossip {
                gossip.seat.swarm.poll(now);
            }
        }
        if has_news {
            self.take_events(monotonic);
            self.take_census(monotonic);
            self.take_actions();
        }
        if let Some(gossip) = &mut self.gossip {
            gossip.send();
            gossip.due = gossip.seat.next_deadline(now);
            gossip.counts.cpu_nanos += thread_cpu_nanos().saturating_sub(cpu);
        }
    }

    /// The others need not find out by themselves that this gateway ends.
    pub(crate) fn leave(&mut self) {
        if let Some(gossip) = &mut self.gossip {
            gossip.seat.swarm.leave(real_micros());
            gossip.send();
        }
    }

    fn take_events(&mut self, monotonic: u64) {
        let micros = self.clock.micros(monotonic);
        let Some(gossip) = &mut self.gossip else { return };
        for event in gossip.seat.take_events(micros, &mut self.gateway) {
            let (gateway, incarnation) = (event.gateway, event.incarnation);
            match event.change {
                Change::Up => info!(gateway, incarnation, "a gateway is up"),
                Change::Down => warn!(gateway, incarnation, "a gateway is down"),
                Change::Suspect => info!(gateway, incarnation, "a gateway does not answer"),
                Change::Cleared => info!(gateway, incarnation, "a gateway answers again"),
                Change::Held => warn!(gateway, incarnation, "a gateway comes and goes"),
                Change::Expelled => {
                    warn!(incarnation, "the others had given this gateway up: it makes sure of its shards");
                }
            }
        }
    }

    /// Shares the shards out among those who are taken for alive.
    fn take_census(&mut self, monotonic: u64) {
        let (now, micros) = (monotonic / NANOS_PER_MICRO, self.clock.micros(monotonic));
        let Some(gossip) = &mut self.gossip else { return };
        for (gateway, alive) in gossip.seat.take_census(now, micros, &mut self.gateway) {
            info!(gateway, alive, "shards are shared out anew");
        }
    }

    /// What this gateway says of its load. Rates and times are of virtual time, which all gateways share.
    fn tell_load(&mut self, monotonic: u64) {
        let micros = self.clock.micros(monotonic);
        if let Some(gossip) = &mut self.gossip {
            gossip.seat.tell_load(micros, &self.gateway);
        }
    }

    /// Blocks and unblocks what the swarm says. What the operator has blocked stays so.
    pub(super) fn take_actions(&mut self) {
        let actions = self.gossip.as_mut().map(|gossip| gossip.seat.swarm.take_actions()).unwrap_or_default();
        for action in actions {
            let (subject, is_blocked) = match action {
                Action::Block(subject) => (subject, true),
                Action::Unblock(subject) => (subject, false),
            };
            info!(?subject, is_blocked, "by the swarm");
            if !self.set_blocked(subject, is_blocked)
                && let Some(gossip) = &mut self.gossip
            {
                if gossip.counts.unplaced.is_multiple_of(UNPLACED_PER_LINE) {
                    warn!(?subject, "no room to block it");
                }
                gossip.counts.unplaced += 1;
            }
        }
    }

    /// Whether there was room.
    fn set_blocked(&mut self, subject: Subject, is_blocked: bool) -> bool {
        let Some(gossip) = &mut self.gossip else { return true };
        match subject {
            Subject::Device(device) if is_blocked => drop(self.gateway.set_blocked(device, true)),
            Subject::Device(device) if self.blocked.contains(&device) => {}
            Subject::Device(device) => drop(self.gateway.set_blocked(device, false)),
            Subject::Frame(frame) if is_blocked => {
                let is_room = gossip.frames.len() < FRAMES_MAX;
                gossip.frames.extend(is_room.then_some(frame));
                return is_room;
            }
            Subject::Frame(frame) => drop(gossip.frames.remove(&frame)),
            Subject::Prefix { address, bits } => {
                let Ok(net) = Ipv6Net::new(address, bits).map(IpNet::V6) else { return false };
                return self.set_prefix_blocked(net, is_blocked);
            }
        }
        true
    }

    fn set_prefix_blocked(&mut self, net: IpNet, is_blocked: bool) -> bool {
        let Some(gossip) = &mut self.gossip else { return true };
        if is_blocked && gossip.prefixes.len() >= PREFIXES_MAX {
            return false;
        }
        let (none, this) = (BTreeSet::new(), BTreeSet::from([net]));
        let is_operators = self.prefixes.holds(net);
        let placed = match &mut self.kernel {
            Some(kernel) if is_blocked => kernel.change_prefixes(&none, &this),
            Some(kernel) if !is_operators => kernel.change_prefixes(&this, &none),
            _ => Ok(()),
        };
        if let Err(error) = &placed {
            warn!(%error, %net, is_blocked, "the filter does not take it");
        }
        if is_blocked && placed.is_ok() {
            gossip.prefixes.insert(net);
        } else if !is_blocked {
            gossip.prefixes.remove(net);
        }
        placed.is_ok()
    }

    /// The operator lets a device go: the swarm does, too.
    pub(crate) fn pardon_device(&mut self, device: u32) {
        self.pardon(Subject::Device(device));
    }

    /// The operator lets a range go: the swarm does, too.
    pub(crate) fn pardon_prefix(&mut self, net: IpNet) {
        let bits = match net {
            IpNet::V4(net) => net.prefix_len() + 96,
            IpNet::V6(net) => net.prefix_len(),
        };
        self.pardon(Subject::prefix(net.addr(), bits));
    }

    fn pardon(&mut self, subject: Subject) {
        let Some(gossip) = &mut self.gossip else { return };
        if !gossip.seat.swarm.is_blocked(&subject) {
            return;
        }
        let now = monotonic_nanos() / NANOS_PER_MICRO;
        if !gossip.seat.swarm.pardon(now, subject, PARDON_MICROS) {
            warn!(?subject, "too many are pardoned: the swarm may block it again");
        }
        gossip.due = gossip.seat.swarm.next_deadline();
        self.take_actions();
    }
}
