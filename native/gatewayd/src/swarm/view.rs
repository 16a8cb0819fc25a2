//! What `/stats` and `/metrics` tell of the swarm.

use super::gossip::Gossip;
use super::observe::real_micros;
use crate::daemon::Daemon;
use crate::snapshot::Named;
use klais_swarm::{Load, Member, MemberState, REFUSALS, ReportRefusal, Subject, ThreatCounters};
use klais_units::NANOS_PER_SECOND;
use serde::Serialize;
use std::net::IpAddr;

/// Subjects that are named; the others are counted.
const SUBJECTS_TOLD: usize = 100;

/// The swarm as this gateway sees it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SwarmCounts {
    /// Of this process; rises when the others had given it up.
    pub incarnation: u64,
    /// More than half of the roster lives, as far as can be seen.
    pub sees_majority: bool,
    pub members: Vec<MemberView>,
    pub gossip: GossipCounts,
    pub threats: ThreatCounts,
}

/// A gateway of the roster.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    pub gateway: u16,
    pub state: &'static str,
    /// Shards are given to it.
    pub alive: bool,
    /// It comes and goes too often to be relied on.
    pub flapping: bool,
    pub incarnation: u64,
    pub load: Option<LoadView>,
    /// Its accusations that ran out without anybody agreeing.
    pub uncorroborated: u64,
}

/// As it says.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadView {
    capacity_per_second: u32,
    admitted_per_second: u32,
    queued_readings: u32,
    session_slots_millis: u32,
    backfill_slots_millis: u32,
}

/// Datagrams, unless said otherwise.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GossipCounts {
    pub rounds: u64,
    pub received: u64,
    pub received_bytes: u64,
    pub sent: u64,
    pub sent_bytes: u64,
    pub refused: Named,
    pub send_failed: u64,
    pub receive_failed: u64,
    /// Times that the others had given this gateway up.
    pub expulsions: u64,
    /// Times that this process came so late that it judged nobody.
    pub stalls: u64,
    pub cpu_seconds: f64,
}

/// Subjects, unless said otherwise.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ThreatCounts {
    /// Whether devices are judged here at all.
    pub judged: bool,
    /// Now.
    pub blocked: u64,
    pub accused: u64,
    /// Reports that are kept now.
    pub reports: u64,
    /// The first of those that are blocked now.
    pub subjects: Vec<String>,
    /// Found here.
    pub detected: u64,
    /// Found here after others had.
    pub seconded: u64,
    pub blocks: u64,
    pub expired: u64,
    /// Blocks that were taken back, or pardoned.
    pub wrong_blocks: u64,
    /// Not blocked, since they were seen to behave.
    pub vetoed: u64,
    /// Accusations that ran out without anybody agreeing.
    pub uncorroborated: u64,
    /// For which the dam had no room.
    pub unplaced: u64,
    pub reports_made: u64,
    pub reports_taken: u64,
    pub reports_refused: Named,
    pub subjects_refused: u64,
}

impl SwarmCounts {
    /// Gateways in each state.
    pub fn by_state(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [MemberState::Unknown, MemberState::Alive, MemberState::Suspect, MemberState::Down].into_iter().map(
            |state| {
                let members = self.members.iter().filter(|member| member.state == state.name());
                (state.name(), members.count() as u64)
            },
        )
    }
}

impl Daemon {
    pub(crate) fn swarm_counts(&self) -> Option<SwarmCounts> {
        self.gossip.as_ref().map(Gossip::counts)
    }
}

impl Gossip {
    fn counts(&self) -> SwarmCounts {
        let alone = self.seat.swarm.uncorroborated();
        let members =
            self.seat.swarm.members(real_micros()).zip(alone).map(|(member, (_, uncorroborated))| {
                let alive = self.seat.alive().get(usize::from(member.gateway)).copied().unwrap_or(false);
                view_of(&member, alive, uncorroborated)
            });
        SwarmCounts {
            incarnation: self.seat.swarm.identity().incarnation,
            sees_majority: self.seat.swarm.sees_majority(),
            members: members.collect(),
            gossip: self.gossip_counts(),
            threats: self.threat_counts(),
        }
    }

    fn gossip_counts(&self) -> GossipCounts {
        let (counters, socket) = (self.seat.swarm.counters(), self.counts);
        GossipCounts {
            rounds: counters.rounds,
            received: counters.received,
            received_bytes: socket.received_bytes,
            sent: counters.sent,
            sent_bytes: counters.sent_bytes,
            refused: Named(REFUSALS.into_iter().zip(counters.refused).collect()),
            send_failed: socket.send_failed + counters.unsent,
            receive_failed: socket.receive_failed,
            expulsions: counters.expulsions,
            stalls: counters.stalls,
            cpu_seconds: socket.cpu_nanos as f64 / NANOS_PER_SECOND as f64,
        }
    }

    fn threat_counts(&self) -> ThreatCounts {
        let (blocked, accused, reports) = self.seat.swarm.threat_gauges();
        let ThreatCounters {
            reports_made,
            reports_taken,
            reports_refused,
            subjects_refused,
            detected,
            seconded,
            blocks,
            expired,
            overruled,
            vetoed,
            uncorroborated,
        } = self.seat.swarm.threat_counters();
        ThreatCounts {
            judged: self.seat.judges(),
            blocked: blocked as u64,
            accused: accused as u64,
            reports: reports as u64,
            subjects: self.seat.swarm.blocked().take(SUBJECTS_TOLD).map(name_of).collect(),
            detected,
            seconded,
            blocks,
            expired,
            wrong_blocks: overruled,
            vetoed,
            uncorroborated,
            unplaced: self.counts.unplaced,
            reports_made,
            reports_taken,
            reports_refused: Named(ReportRefusal::NAMES.into_iter().zip(reports_refused).collect()),
            subjects_refused,
        }
    }
}

fn view_of(member: &Member, alive: bool, uncorroborated: u64) -> MemberView {
    let load = |load: Load| LoadView {
        capacity_per_second: load.capacity_per_second,
        admitted_per_second: load.admitted_per_second,
        queued_readings: load.queued_readings,
        session_slots_millis: load.session_slots_millis,
        backfill_slots_millis: load.backfill_slots_millis,
    };
    MemberView {
        gateway: member.gateway,
        state: member.state.name(),
        alive,
        flapping: member.state.is_active() && !member.usable,
        incarnation: member.incarnation,
        load: member.load.map(load),
        uncorroborated,
    }
}

/// `device 7`, `10.0.0.1/32`, `frame 0123456789abcdef`.
fn name_of(subject: Subject) -> String {
    match subject {
        Subject::Device(device) => format!("device {device}"),
        Subject::Frame(mac) => format!("frame {mac:016x}"),
        Subject::Prefix { address, bits } => {
            let address = IpAddr::from(address).to_canonical();
            format!("{address}/{}", if address.is_ipv4() { bits.saturating_sub(96) } else { bits })
        }
    }
}
