//! Changes while running: everything is checked before anything changes.

use crate::config::Key;
use crate::prefixes::{PREFIXES_MAX, Prefixes};
use ipnet::IpNet;
use klais_dam::{DamConfig, Emission, Layer, Limit, SessionMode, Shift};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The body of `PATCH /config`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Patch {
    pub capacity_per_second: Option<u64>,
    pub sessions_per_second: Option<u64>,
    pub limits: Limits,
    pub block: BTreeSet<u32>,
    pub unblock: BTreeSet<u32>,
    pub block_prefixes: BTreeSet<IpNet>,
    pub unblock_prefixes: BTreeSet<IpNet>,
    pub rotate_master_key: Option<Rotation>,
}

/// By layer; what is not named stays.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    device: Option<LimitConfig>,
    control: Option<LimitConfig>,
    live: Option<LimitConfig>,
    backfill: Option<LimitConfig>,
    global: Option<LimitConfig>,
    sessions: Option<LimitConfig>,
}

/// A new master key. The one so far stays good until the next rotation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    pub key: Key,
    pub epoch: u8,
}

/// A layer of the dam.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerName {
    Device,
    Control,
    Live,
    Backfill,
    Global,
    Sessions,
}

/// `events` per `period_nanos`, `burst` at once.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitConfig {
    pub events: u64,
    pub period_nanos: u64,
    pub burst: u64,
}

/// What `GET /config` tells. Secrets stay where they are.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigView {
    pub gateway: u32,
    pub gateways: u32,
    pub listen: String,
    pub interface: Option<String>,
    pub devices: u32,
    pub origin_nanos: String,
    pub time_scale: u64,
    pub key_epoch: u8,
    pub capacity_per_second: u64,
    pub sessions_per_second: u64,
    /// Those that were set while running; the others follow from the policy and the two rates.
    pub limits: BTreeMap<LayerName, LimitConfig>,
    pub blocked: usize,
    pub blocked_prefixes: Vec<IpNet>,
}

/// Why a patch was refused. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PatchError {
    /// Which key.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

impl PatchError {
    pub fn new(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into() }
    }
}

impl Limits {
    /// Those that are named.
    pub fn iter(&self) -> impl Iterator<Item = (LayerName, LimitConfig)> {
        let all = [
            (LayerName::Device, self.device),
            (LayerName::Control, self.control),
            (LayerName::Live, self.live),
            (LayerName::Backfill, self.backfill),
            (LayerName::Global, self.global),
            (LayerName::Sessions, self.sessions),
        ];
        all.into_iter().filter_map(|(layer, limit)| limit.map(|limit| (layer, limit)))
    }
}

impl LayerName {
    pub fn layer(self) -> Layer {
        match self {
            Self::Device => Layer::Device,
            Self::Control => Layer::Control,
            Self::Live => Layer::Live,
            Self::Backfill => Layer::Backfill,
            Self::Global => Layer::Global,
            Self::Sessions => Layer::Sessions,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Control => "control",
            Self::Live => "live",
            Self::Backfill => "backfill",
            Self::Global => "global",
            Self::Sessions => "sessions",
        }
    }

    fn of(self, dam: &DamConfig) -> Option<Limit> {
        match self {
            Self::Device => dam.device,
            Self::Control => dam.control,
            Self::Live => dam.live,
            Self::Backfill => dam.backfill,
            Self::Global => dam.global,
            Self::Sessions => dam.sessions,
        }
    }
}

impl From<LimitConfig> for Limit {
    fn from(limit: LimitConfig) -> Self {
        Self { events: limit.events, period_nanos: limit.period_nanos, burst: limit.burst }
    }
}

impl Patch {
    /// Checks what can be checked without the gateway. `dam` is what the dam was built from.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self, dam: &DamConfig, key_epoch: u8, prefixes: &Prefixes) -> Result<(), PatchError> {
        self.check_limits(dam)?;
        for (key, devices) in [("block", &self.block), ("unblock", &self.unblock)] {
            if let Some(device) = devices.iter().find(|device| **device >= dam.devices) {
                let problem = format!("there is no device {device}: they are 0 to {}", dam.devices - 1);
                return Err(PatchError::new(key, problem));
            }
        }
        if let Some(device) = self.block.intersection(&self.unblock).next() {
            return Err(PatchError::new("unblock", format!("device {device} is to be blocked as well")));
        }
        if let Some(prefix) = self.block_prefixes.intersection(&self.unblock_prefixes).next() {
            return Err(PatchError::new("unblockPrefixes", format!("{prefix} is to be blocked as well")));
        }
        let added = self.block_prefixes.iter().filter(|prefix| !prefixes.holds(**prefix)).count();
        let removed = self.unblock_prefixes.iter().filter(|prefix| prefixes.holds(**prefix)).count();
        if prefixes.len() + added > PREFIXES_MAX + removed {
            return Err(PatchError::new(
                "blockPrefixes",
                format!("at most {PREFIXES_MAX} ranges can be blocked"),
            ));
        }
        if let Some(Rotation { epoch, .. }) = self.rotate_master_key
            && epoch.wrapping_sub(key_epoch).wrapping_sub(1) >= (1 << 7) - 1
        {
            let problem =
                format!("{epoch} is not after the present key's number, {key_epoch} (127 ahead at most)");
            return Err(PatchError::new("rotateMasterKey.epoch", problem));
        }
        Ok(())
    }

    fn check_limits(&self, dam: &DamConfig) -> Result<(), PatchError> {
        if self.capacity_per_second == Some(0) {
            return Err(PatchError::new("capacityPerSecond", "must be at least 1"));
        }
        if self.sessions_per_second.is_some() && dam.sessions.is_none() {
            return Err(PatchError::new(
                "sessionsPerSecond",
                "sessions are not limited under this admission",
            ));
        }
        for (layer, limit) in self.limits.iter() {
            let key = format!("limits.{}", layer.name());
            if layer.of(dam).is_none() {
                return Err(PatchError::new(key, "this layer is off under this admission, and stays off"));
            }
            if layer == LayerName::Backfill && dam.session_mode == SessionMode::Slots {
                let problem =
                    "under slots it follows from the capacity, second by second: change capacityPerSecond";
                return Err(PatchError::new(key, problem));
            }
            if let Err(error) = Emission::new(limit.into(), Shift::DAM) {
                return Err(PatchError::new(key, error.to_string()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        let patch: Patch = serde_json::from_str(body).expect("a patch");
        let mut dam = DamConfig::open(10);
        dam.live = Some(Limit::per_second(100, 10));
        dam.backfill = dam.live;
        dam.session_mode = SessionMode::Slots;
        let refused = patch.check(&dam, 200, &Prefixes::default()).expect_err("refused");
        refused.key
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert_eq!(refused(r#"{"capacityPerSecond":0}"#), "capacityPerSecond");
        assert_eq!(refused(r#"{"sessionsPerSecond":5}"#), "sessionsPerSecond");
        let limit = r#"{"events":0,"periodNanos":1,"burst":1}"#;
        assert_eq!(refused(&format!(r#"{{"limits":{{"live":{limit}}}}}"#)), "limits.live");
        assert_eq!(refused(&format!(r#"{{"limits":{{"global":{limit}}}}}"#)), "limits.global");
        let limit = r#"{"events":5,"periodNanos":1000000000,"burst":1}"#;
        assert_eq!(refused(&format!(r#"{{"limits":{{"backfill":{limit}}}}}"#)), "limits.backfill");
        assert_eq!(refused(r#"{"block":[10]}"#), "block");
        assert_eq!(refused(r#"{"block":[3],"unblock":[3]}"#), "unblock");
        assert_eq!(refused(r#"{"blockPrefixes":["::/0"],"unblockPrefixes":["::/0"]}"#), "unblockPrefixes");
        for epoch in [200, 199, 72] {
            let key = "00112233445566778899aabbccddeeff";
            let body = format!(r#"{{"rotateMasterKey":{{"key":"{key}","epoch":{epoch}}}}}"#);
            assert_eq!(refused(&body), "rotateMasterKey.epoch", "{epoch}");
        }
    }

    #[test]
    fn a_key_is_not_printed() {
        let patch: Patch = serde_json::from_str(
            r#"{"rotateMasterKey":{"key":"00112233445566778899aabbccddeeff","epoch":1}}"#,
        )
        .expect("a patch");
        assert!(!format!("{patch:?}").contains("33"));
    }
}
