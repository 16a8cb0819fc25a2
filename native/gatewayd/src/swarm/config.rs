//! The `swarm` part of the configuration: who the other gateways are, and how they are spoken to.

use crate::config::{Hex, Key};
use klais_swarm::{ClusterKeys, Peer, Roster, SigningSeed, SwarmConfig, SwarmError};
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::Arc;

/// Virtual time may pass at most so many times as fast as real time for devices to be judged by it.
const JUDGED_SCALE_MAX: u32 = 100;

/// What a gateway of a swarm is told of it. Times are real, whatever the daemon's clock, but for `detect`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SwarmSection {
    /// Where gossip is taken, and sent from.
    pub listen: SocketAddr,
    pub cluster_key: Key,
    pub key_epoch: u8,
    pub signing_seed: Hex<32>,
    pub roster: Vec<Row>,
    #[serde(default)]
    pub fanout: Option<u8>,
    #[serde(default)]
    pub timings: Timings,
    #[serde(default)]
    pub damping: Damping,
    #[serde(default)]
    pub threats: Threats,
    #[serde(default)]
    pub detect: Detect,
}

/// One gateway, the same at all of them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Row {
    pub gateway: u16,
    pub gossip: SocketAddr,
    pub data: SocketAddr,
    pub public_key: Hex<32>,
}

/// See `klais_swarm::Timing`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Timings {
    probe_period_micros: Option<u64>,
    probe_rtt_micros: Option<u64>,
    suspicion_micros: Option<u64>,
    gossip_interval_micros: Option<u64>,
    news_interval_micros: Option<u64>,
    call_interval_micros: Option<u64>,
    load_age_micros_max: Option<u64>,
}

/// See `klais_swarm::DampingConfig`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Damping {
    half_life_micros: Option<u64>,
    suppress_above: Option<u32>,
    reuse_below: Option<u32>,
}

/// See `klais_swarm::ThreatConfig`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Threats {
    quorum: Option<u16>,
    ttl_seconds: Option<u16>,
    ttl_seconds_max: Option<u16>,
    subjects_per_reporter_max: Option<u32>,
    subjects_max: Option<u32>,
}

/// See `klais_swarm::DetectConfig`. The window is of virtual time.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Detect {
    window_micros: Option<u64>,
    events_floor: Option<u32>,
    readings_cold: Option<u32>,
    source_failures_max: Option<u32>,
    frame_copies_max: Option<u32>,
}

/// Key and problem.
type Wrong = (String, String);

fn wrong(key: impl Into<String>, problem: impl Into<String>) -> Wrong {
    (key.into(), problem.into())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Whether devices are judged where virtual time passes so fast.
pub fn are_devices_judged(time_scale: u32) -> bool {
    time_scale <= JUDGED_SCALE_MAX
}

impl SwarmSection {
    /// Where devices find each gateway, by number.
    pub fn data_addresses(&self) -> Vec<SocketAddr> {
        let mut rows: Vec<_> = self.roster.iter().collect();
        rows.sort_by_key(|row| row.gateway);
        rows.iter().map(|row| row.data).collect()
    }

    /// What the swarm is set to, for gateway number `gateway` of `gateways`.
    ///
    /// # Errors
    /// The first key that is wrong, and how.
    pub fn to_config(
        &self,
        gateway: u32,
        gateways: u32,
        devices: u32,
        time_scale: u32,
    ) -> Result<SwarmConfig, Wrong> {
        self.check_rows(gateway, gateways)?;
        let peer = |row: &Row| Peer {
            gateway: row.gateway,
            gossip: row.gossip,
            data: row.data,
            key: row.public_key.0,
        };
        let peers: Vec<_> = self.roster.iter().map(peer).collect();
        let roster = Roster::new(&peers).map_err(|error| self.named(error))?;
        let keys = ClusterKeys::new(self.cluster_key.0, self.key_epoch);
        let seed = SigningSeed::new(self.signing_seed.0);
        let mut config = SwarmConfig::new(Arc::new(roster), keys, seed, devices);
        self.set_figures(&mut config);
        let window = config.detect.window_micros;
        config.detect.window_micros = window.div_ceil(time_scale.clamp(1, JUDGED_SCALE_MAX).into());
        // As large as `gateways`, which its rows' numbers are below: there are no others.
        let number = u16::try_from(gateway).unwrap_or(u16::MAX);
        config.check(number).map_err(|error| self.named(error))?;
        Ok(config)
    }

    fn set_figures(&self, config: &mut SwarmConfig) {
        let Self { timings, damping, threats, detect, .. } = self;
        set(&mut config.fanout, self.fanout);
        set(&mut config.timing.probe_period_micros, timings.probe_period_micros);
        set(&mut config.timing.probe_rtt_micros, timings.probe_rtt_micros);
        set(&mut config.timing.suspicion_micros, timings.suspicion_micros);
        set(&mut config.timing.gossip_interval_micros, timings.gossip_interval_micros);
        set(&mut config.timing.news_interval_micros, timings.news_interval_micros);
        set(&mut config.timing.call_interval_micros, timings.call_interval_micros);
        set(&mut config.timing.load_age_micros_max, timings.load_age_micros_max);
        set(&mut config.damping.half_life_micros, damping.half_life_micros);
        set(&mut config.damping.suppress_above, damping.suppress_above);
        set(&mut config.damping.reuse_below, damping.reuse_below);
        set(&mut config.threats.quorum, threats.quorum);
        set(&mut config.threats.ttl_seconds, threats.ttl_seconds);
        set(&mut config.threats.ttl_seconds_max, threats.ttl_seconds_max);
        set(&mut config.threats.subjects_per_reporter_max, threats.subjects_per_reporter_max);
        set(&mut config.threats.subjects_max, threats.subjects_max);
        set(&mut config.detect.window_micros, detect.window_micros);
        set(&mut config.detect.events_floor, detect.events_floor);
        set(&mut config.detect.readings_cold, detect.readings_cold);
        set(&mut config.detect.source_failures_max, detect.source_failures_max);
        set(&mut config.detect.frame_copies_max, detect.frame_copies_max);
    }

    fn check_rows(&self, gateway: u32, gateways: u32) -> Result<(), Wrong> {
        let rows = self.roster.len();
        if rows != gateways as usize {
            let problem = format!("{rows} rows for {gateways} gateways: there must be one for each");
            return Err(wrong("swarm.roster", problem));
        }
        for (n, row) in self.roster.iter().enumerate() {
            let key = |leaf: &str| format!("swarm.roster[{n}].{leaf}");
            if u32::from(row.gateway) >= gateways {
                let problem = format!("there is no gateway {} of {gateways}: they count from 0", row.gateway);
                return Err(wrong(key("gateway"), problem));
            }
            if row.gossip.port() == 0 || row.gossip.ip().is_unspecified() {
                let problem = format!("{} is no address that the others could send to", row.gossip);
                return Err(wrong(key("gossip"), problem));
            }
            if row.gossip.is_ipv4() != self.listen.is_ipv4() {
                let problem = format!("{} cannot be reached from {}", row.gossip, self.listen);
                return Err(wrong(key("gossip"), problem));
            }
            let others = self.roster.iter().take(n);
            if let Some(other) = others.clone().find(|other| other.gossip == row.gossip) {
                let problem = format!("{} is the address of gateway {} as well", row.gossip, other.gateway);
                return Err(wrong(key("gossip"), problem));
            }
            if u32::from(row.gateway) == gateway && !is_heard_at(self.listen, row.gossip) {
                let problem = format!(
                    "the roster says {}, from which alone the others take gossip of gateway {gateway}",
                    row.gossip
                );
                return Err(wrong("swarm.listen", problem));
            }
        }
        Ok(())
    }

    /// The key that is to blame.
    fn named(&self, error: SwarmError) -> Wrong {
        let row_of = |gateway, leaf: &str| {
            let place = self.roster.iter().rposition(|row| row.gateway == gateway);
            format!("swarm.roster[{}].{leaf}", place.unwrap_or_default())
        };
        let key = match error {
            SwarmError::Twice { gateway } => row_of(gateway, "gateway"),
            SwarmError::Key { gateway } => row_of(gateway, "publicKey"),
            SwarmError::WrongSeed { gateway } => {
                let public = Hex(SigningSeed::new(self.signing_seed.0).public_key());
                let problem = format!("its public key is {public}, and the roster has another for {gateway}");
                return wrong("swarm.signingSeed", problem);
            }
            SwarmError::ProbePeriod => {
                return wrong("swarm.timings.probeRttMicros", "must be below probePeriodMicros");
            }
            SwarmError::Quorum => "swarm.threats.quorum".to_owned(),
            SwarmError::Ttl => {
                return wrong("swarm.threats.ttlSecondsMax", "must be at most an hour, 3600");
            }
            SwarmError::OutOfMemory { .. } => "devices".to_owned(),
            SwarmError::Zero { setting } => {
                let section = match setting {
                    "half_life_micros" | "reuse_below" => "damping.",
                    "window_micros" | "events_floor" => "detect.",
                    "fanout" => "",
                    setting if setting.starts_with("ttl") || setting.starts_with("subjects") => "threats.",
                    _ => "timings.",
                };
                let key = format!("swarm.{section}{}", crate::config::camel(setting));
                return wrong(key, "must be at least 1");
            }
            _ => "swarm.roster".to_owned(),
        };
        wrong(key, error.to_string())
    }
}

/// Whether what is bound to `listen` sends from `gossip`.
fn is_heard_at(listen: SocketAddr, gossip: SocketAddr) -> bool {
    let is_here = listen.ip().is_unspecified() || listen.ip() == gossip.ip();
    is_here && listen.port() == gossip.port()
}
