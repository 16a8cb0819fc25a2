//! A way through the world, to be read.

use crate::device::Device;
use crate::ending::{ENDINGS, Known, finishes};
use crate::frame::{Frame, LIVE};
use crate::gateway::Gateway;
use crate::log::{Log, Run};
use crate::setup::{GATEWAYS, Setup};
use crate::steps::Step;
use crate::world::World;
use std::fmt::{self, Display, Formatter};

/// Steps shown of a world that never comes to rest.
const STUCK_STEPS_MAX: usize = 24;

/// Writes each step, and below it what it changed. `stuck`: then how the last world goes on without end.
pub(crate) fn write(f: &mut Formatter<'_>, setup: &Setup, steps: &[Step], stuck: bool) -> fmt::Result {
    let mut world = World::new(setup);
    for (n, step) in (1..).zip(steps) {
        let before = world.clone();
        world.apply(*step, setup);
        writeln!(f, "{n:>3}. {step}")?;
        write_changes(f, setup, &before, &world)?;
    }
    if stuck { write_stuck(f, setup, &world) } else { Ok(()) }
}

fn write_stuck(f: &mut Formatter<'_>, setup: &Setup, world: &World) -> fmt::Result {
    for ending in ENDINGS {
        let mut told = Vec::new();
        let mut story = |step: Step, world: &World| told.push((step, world.clone()));
        if finishes(world, ending, setup, &Known::default(), &mut story) {
            continue;
        }
        writeln!(f, "     From here nothing fails any more, and yet it never comes to rest: {ending:?}")?;
        let mut before = world;
        for (step, after) in told.iter().take(STUCK_STEPS_MAX) {
            writeln!(f, "   - {step}")?;
            write_changes(f, setup, before, after)?;
            before = after;
        }
        return writeln!(f, "     and so on");
    }
    Ok(())
}

fn write_changes(f: &mut Formatter<'_>, setup: &Setup, before: &World, after: &World) -> fmt::Result {
    for n in 0..setup.devices {
        if before.devices[n] != after.devices[n] {
            writeln!(f, "       device {n}: {}", Shown(&after.devices[n]))?;
        }
    }
    for n in 0..GATEWAYS {
        if before.gateways[n] != after.gateways[n] {
            writeln!(f, "       gateway {n}: {}", Shown((&after.gateways[n], setup)))?;
        }
    }
    if before.log != after.log {
        writeln!(f, "       log: {}", Shown((&after.log, setup)))?;
    }
    Ok(())
}

struct Shown<T>(T);

impl Display for Shown<&Device> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Device { link, epoch, session, term, taken, acked, sent, live_from, .. } = self.0;
        let held: Vec<u8> = (0..*taken).filter(|reading| self.0.holds(*reading)).collect();
        write!(f, "{link:?}, epoch {epoch}, session {session}, term {term}, {taken} taken, holds {held:?}")?;
        write!(f, ", acked {acked:?}, sent {sent:?}, live from {live_from}")
    }
}

impl Display for Shown<(&Gateway, &Setup)> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (at, setup) = self.0;
        write!(f, "{:?}, producer {}", at.phase, at.producer)?;
        if let Some(term) = at.term {
            write!(f, ", term {term}")?;
        }
        for (n, entry) in at.entries.iter().enumerate().take(setup.devices) {
            let online = if entry.is_online { "online" } else { "known" };
            let (epoch, session, marks) = (entry.epoch, entry.session, entry.marks);
            write!(f, ", device {n} {online} in epoch {epoch}, session {session}, marks {marks:?}")?;
        }
        for (what, runs) in [("waits", &at.queue), ("in flight", &at.in_flight)] {
            if !runs.is_empty() {
                write!(f, ", {what}: {}", Shown(runs.as_slice()))?;
            }
        }
        Ok(())
    }
}

impl Display for Shown<(&Log, &Setup)> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (log, setup) = self.0;
        write!(f, "producer {}", log.producer)?;
        if let Some(term) = log.term {
            write!(f, ", term {term}")?;
        }
        for n in 0..setup.devices {
            let stored = log.stored[n].map(|bits| (0..8).filter(|n| bits & 1 << n != 0).collect::<Vec<u8>>());
            write!(f, ", device {n} live {:?} backfill {:?}", stored[0], stored[1])?;
            for (lane, stored) in ["live", "backfill"].iter().zip(log.checkpoints[n]) {
                if let Some(stored) = stored {
                    let (epoch, session, mark) = (stored.epoch, stored.session, stored.mark);
                    write!(f, ", {lane} mark {mark} of epoch {epoch}, session {session}")?;
                }
            }
        }
        match &log.open {
            Some(open) if open.claim.is_some() => write!(f, ", open: a claim"),
            Some(open) => write!(f, ", open: {}", Shown(open.runs.as_slice())),
            None => Ok(()),
        }
    }
}

impl Display for Shown<&[Run]> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (n, run) in self.0.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            write!(f, "{comma}{} {}..{}", lane(run.lane), run.first, run.end())?;
        }
        Ok(())
    }
}

fn lane(lane: u8) -> &'static str {
    if lane == LIVE { "live" } else { "backfill" }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Take { device } => write!(f, "device {device} takes a reading"),
            Self::SayHello { device, gateway } => {
                write!(f, "device {device} says HELLO to gateway {gateway}")
            }
            Self::EndSession { device } => write!(f, "device {device} gives its session up"),
            Self::Resend { device, lane: n } => write!(f, "device {device} sends {} again", lane(*n)),
            Self::LosePower { device } => write!(f, "device {device} loses its power and has it back"),
            Self::Down { frame } => write!(f, "{frame} arrives"),
            Self::Up { frame, gateway } => write!(f, "{frame} arrives at gateway {gateway}"),
            Self::Open { gateway } => write!(f, "gateway {gateway} opens the shard: it fences"),
            Self::Read { gateway } => write!(f, "gateway {gateway} reads the checkpoints"),
            Self::Submit { gateway, runs } => {
                write!(f, "gateway {gateway} begins a transaction, runs in it: {runs}")
            }
            Self::Prove { gateway } => write!(f, "gateway {gateway} commits its term again"),
            Self::Commit { heard: true } => {
                write!(f, "the transaction is committed, and its gateway hears of it")
            }
            Self::Commit { .. } => write!(f, "the transaction is committed, and the answer is lost"),
            Self::Fenced { gateway } => write!(f, "gateway {gateway} hears that it was fenced"),
            Self::Crash { gateway } => write!(f, "gateway {gateway} dies and comes back"),
            Self::Finish => write!(f, "the marks are written, the end of the transaction is on its way"),
            Self::AbortAndGoOn { gateway } => write!(f, "gateway {gateway} aborts and goes on"),
            Self::StrayEnd => write!(f, "the end of an aborted transaction arrives"),
        }
    }
}

impl Display for Frame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello { session, epoch, .. } => write!(f, "HELLO(session {session}, epoch {epoch})"),
            Self::Admit { session, term, marks, .. } => {
                write!(f, "ADMIT(session {session}, term {term}, marks {marks:?})")
            }
            Self::Data { session, term, lane: n, prev, first, count, .. } => {
                let (lane, end) = (lane(*n), first + count);
                write!(f, "DATA(session {session}, term {term}, {lane} {first}..{end} after {prev})")
            }
            Self::Ack { session, lane: n, mark, .. } => {
                write!(f, "ACK(session {session}, {} {mark})", lane(*n))
            }
            Self::Gap { session, lane: n, mark, .. } => {
                write!(f, "NACK(session {session}, {} {mark})", lane(*n))
            }
        }
    }
}
