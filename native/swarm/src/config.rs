//! What a swarm is set to.

use alloc::sync::Arc;
use core::fmt;

use klais_units::MICROS_PER_SECOND;

use crate::damping::PENALTY_PER_FLAP;
use crate::roster::GATEWAYS_MAX;
use crate::{ClusterKeys, DetectConfig, Roster, SigningSeed};

const MILLI: u64 = 1_000;
/// A gossip round, unless it is set otherwise.
pub const GOSSIP_INTERVAL_MICROS: u64 = 100 * MILLI;
/// Longest life of a threat that may be configured.
const TTL_SECONDS_MAX: u16 = 3_600;

/// Settings of one gateway's part in the swarm.
#[derive(Clone, Debug)]
pub struct SwarmConfig {
    /// Who may take part. The same at all gateways.
    pub roster: Arc<Roster>,
    /// What datagrams are authenticated with. The same at all gateways.
    pub cluster_keys: ClusterKeys,
    /// This gateway's own secret; the roster has its public key.
    pub signing_seed: SigningSeed,
    /// How fast.
    pub timing: Timing,
    /// Members that a gateway tells per round.
    pub fanout: u8,
    /// Flapping gateways.
    pub damping: DampingConfig,
    /// When a threat takes hold.
    pub threats: ThreatConfig,
    /// What is a threat in this gateway's own eyes.
    pub detect: DetectConfig,
}

/// Times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Each gateway asks one other in so long whether it lives.
    pub probe_period_micros: u64,
    /// Within which an answer is expected; then others are asked to ask. Below the period.
    pub probe_rtt_micros: u64,
    /// How long a suspect may take to speak up before it is given up. 0: three periods for each decimal digit of the
    /// number of gateways, as memberlist does, so that the word reaches the suspect and comes back.
    pub suspicion_micros: u64,
    /// A gossip round.
    pub gossip_interval_micros: u64,
    /// News is passed on ahead of the round, but not faster than this.
    pub news_interval_micros: u64,
    /// How often gateways that are not known to live are called.
    pub call_interval_micros: u64,
    /// A load that is older tells nothing.
    pub load_age_micros_max: u64,
}

impl Default for Timing {
    /// For a LAN: a killed gateway is known to the others after about half a second.
    fn default() -> Self {
        Self {
            probe_period_micros: 100 * MILLI,
            probe_rtt_micros: 40 * MILLI,
            suspicion_micros: 0,
            gossip_interval_micros: GOSSIP_INTERVAL_MICROS,
            news_interval_micros: 20 * MILLI,
            call_interval_micros: MICROS_PER_SECOND,
            load_age_micros_max: 5 * MICROS_PER_SECOND,
        }
    }
}

impl Timing {
    /// [`Timing::suspicion_micros`] as it is for so many gateways.
    #[must_use]
    pub fn suspicion_micros_of(&self, gateways: usize) -> u64 {
        if self.suspicion_micros > 0 {
            return self.suspicion_micros;
        }
        let digits = gateways.saturating_sub(1).checked_ilog10().unwrap_or(0) + 1;
        self.probe_period_micros.saturating_mul(3).saturating_mul(digits.into())
    }
}

/// Route flap damping (RFC 2439): each time that a gateway goes down costs 1,000, and the sum halves in every half-life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DampingConfig {
    /// Time in which the sum halves.
    pub half_life_micros: u64,
    /// From this sum on a gateway that comes back does not count as up.
    pub suppress_above: u32,
    /// Below this sum it does again. At least 1.
    pub reuse_below: u32,
}

impl Default for DampingConfig {
    /// Two restarts within seconds are free, from the third on the gateway waits: 20 to 40 seconds.
    fn default() -> Self {
        Self { half_life_micros: 10 * MICROS_PER_SECOND, suppress_above: 2_500, reuse_below: 750 }
    }
}

impl DampingConfig {
    /// Four half-lives over the reuse threshold: nobody is kept out for longer than that.
    pub(crate) fn ceiling(&self) -> u32 {
        self.reuse_below.saturating_mul(16).max(self.suppress_above).max(PENALTY_PER_FLAP)
    }

    /// The longest time for which a gateway that has stopped flapping is kept out.
    #[must_use]
    pub fn suppressed_micros_max(&self) -> u64 {
        let halvings = (self.ceiling() / self.reuse_below.max(1)).checked_ilog2().unwrap_or(0) + 1;
        self.half_life_micros.saturating_mul(halvings.into())
    }
}

/// When a threat takes hold, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreatConfig {
    /// Gateways that must report a subject before one that has seen nothing itself drops it: one more than may lie. With
    /// evidence of its own a gateway needs one report. At least 2. See [`quorum_for`].
    pub quorum: u16,
    /// Life of this gateway's own reports, in seconds.
    pub ttl_seconds: u16,
    /// The longest life that is taken from others, in seconds, up to an hour; longer ones are cut.
    pub ttl_seconds_max: u16,
    /// Subjects that one gateway may have reported at a time. More are refused: nobody else's are given up for them.
    pub subjects_per_reporter_max: u32,
    /// Subjects in all that others may have reported at a time.
    pub subjects_max: u32,
}

impl ThreatConfig {
    /// The usual figures for so many gateways.
    #[must_use]
    pub fn for_gateways(gateways: usize) -> Self {
        Self {
            quorum: quorum_for(gateways),
            ttl_seconds: 120,
            ttl_seconds_max: 600,
            subjects_per_reporter_max: 1 << 16,
            subjects_max: 1 << 18,
        }
    }
}

/// Three reporters, so that two may lie; in a cluster of three or fewer, two.
#[must_use]
pub const fn quorum_for(gateways: usize) -> u16 {
    if gateways > 3 { 3 } else { 2 }
}

impl SwarmConfig {
    /// The usual figures.
    #[must_use]
    pub fn new(
        roster: Arc<Roster>,
        cluster_keys: ClusterKeys,
        signing_seed: SigningSeed,
        devices: u32,
    ) -> Self {
        let threats = ThreatConfig::for_gateways(roster.len());
        Self {
            roster,
            cluster_keys,
            signing_seed,
            timing: Timing::default(),
            fanout: 3,
            damping: DampingConfig::default(),
            threats,
            detect: DetectConfig::new(devices),
        }
    }

    pub(crate) fn check(&self, gateway: u16) -> Result<usize, SwarmError> {
        let own = self.roster.seat_of(gateway).ok_or(SwarmError::NotInRoster { gateway })?;
        let key = self.signing_seed.public_key();
        if self.roster.peer(own).is_none_or(|peer| peer.key != key) {
            return Err(SwarmError::WrongSeed { gateway });
        }
        let timing = &self.timing;
        let threats = &self.threats;
        let positive = [
            ("probe_rtt_micros", timing.probe_rtt_micros),
            ("gossip_interval_micros", timing.gossip_interval_micros),
            ("news_interval_micros", timing.news_interval_micros),
            ("call_interval_micros", timing.call_interval_micros),
            ("load_age_micros_max", timing.load_age_micros_max),
            ("fanout", self.fanout.into()),
            ("half_life_micros", self.damping.half_life_micros),
            ("reuse_below", self.damping.reuse_below.into()),
            ("ttl_seconds", threats.ttl_seconds.into()),
            ("ttl_seconds_max", threats.ttl_seconds_max.into()),
            ("subjects_per_reporter_max", threats.subjects_per_reporter_max.into()),
            ("subjects_max", threats.subjects_max.into()),
            ("window_micros", self.detect.window_micros),
            ("events_floor", self.detect.events_floor.into()),
        ];
        if let Some((setting, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(SwarmError::Zero { setting });
        }
        if timing.probe_rtt_micros >= timing.probe_period_micros {
            return Err(SwarmError::ProbePeriod);
        }
        if threats.quorum < 2 {
            return Err(SwarmError::Quorum);
        }
        if threats.ttl_seconds_max > TTL_SECONDS_MAX {
            return Err(SwarmError::Ttl);
        }
        Ok(own)
    }
}

/// A configuration that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SwarmError {
    /// No gateway, or too many.
    RosterSize {
        /// How many there are.
        gateways: usize,
    },
    /// Two gateways have one number.
    Twice {
        /// The number.
        gateway: u16,
    },
    /// Not an Ed25519 public key, or one that anybody can sign for.
    Key {
        /// Whose.
        gateway: u16,
    },
    /// The gateway itself is missing.
    NotInRoster {
        /// Its number.
        gateway: u16,
    },
    /// The roster has another public key for this gateway.
    WrongSeed {
        /// Its number.
        gateway: u16,
    },
    /// The named setting must be at least 1.
    Zero {
        /// Which.
        setting: &'static str,
    },
    /// An answer would be expected after the end of the period.
    ProbePeriod,
    /// One gateway alone could block a fleet.
    Quorum,
    /// Threats would live too long.
    Ttl,
    /// The allocator refused the table of devices.
    OutOfMemory {
        /// Bytes that it would take.
        bytes: u64,
    },
}

impl fmt::Display for SwarmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RosterSize { gateways } => {
                write!(f, "a roster of {gateways} gateways is not within 1 to {GATEWAYS_MAX}")
            }
            Self::Twice { gateway } => write!(f, "gateway {gateway} is in the roster twice"),
            Self::Key { gateway } => write!(f, "the public key of gateway {gateway} is no Ed25519 key"),
            Self::NotInRoster { gateway } => write!(f, "gateway {gateway} is not in the roster"),
            Self::WrongSeed { gateway } => {
                write!(f, "the signing seed is not that of gateway {gateway}'s public key in the roster")
            }
            Self::Zero { setting } => write!(f, "{setting} must be at least 1"),
            Self::ProbePeriod => f.write_str("probe_rtt_micros must be below probe_period_micros"),
            Self::Quorum => f.write_str("quorum must be at least 2: with 1, one gateway could block a fleet"),
            Self::Ttl => write!(f, "ttl_seconds_max must be at most {TTL_SECONDS_MAX}"),
            Self::OutOfMemory { bytes } => write!(f, "no memory for {bytes} bytes of device history"),
        }
    }
}

impl core::error::Error for SwarmError {}
