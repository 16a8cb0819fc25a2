//! The configuration file: JSON, schema `klais.gatewayd/1`. `docs/gatewayd.md` describes every key.

use crate::error::StartError;
use crate::policy::PolicyConfig;
use crate::swarm::SwarmSection;
use klais_burst_sync::wire;
use klais_gateway::{GatewayAddress, GatewayConfig, GatewayError};
use klais_swarm::SwarmConfig;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// The one schema that this version reads.
const SCHEMA: &str = "klais.gatewayd/1";
/// The configuration file is at most this long.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Virtual time passes at most this many times as fast as real time.
const TIME_SCALE_MAX: u32 = 10_000;
/// Devices that a daemon is made for at most: its tables take some 80 bytes a device.
const DEVICES_MAX: u32 = 1 << 26;

/// Everything the daemon is told.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    #[serde(rename = "schema", deserialize_with = "schema")]
    _schema: (),
    pub gateway: u32,
    #[serde(deserialize_with = "at_least_one")]
    pub gateways: u32,
    pub listen: SocketAddr,
    /// The address that devices know this gateway by, where that is not the one listened on.
    #[serde(default)]
    pub public_address: Option<IpAddr>,
    /// Where devices find each gateway, by number.
    #[serde(default)]
    pub gateway_addresses: Vec<SocketAddr>,
    #[serde(deserialize_with = "loopback")]
    pub admin: SocketAddr,
    #[serde(default)]
    pub interface: Option<String>,
    pub xdp: XdpMode,
    #[serde(deserialize_with = "devices")]
    pub devices: u32,
    pub master_key: Key,
    pub key_epoch: u8,
    #[serde(default)]
    pub assume_online: bool,
    #[serde(default, deserialize_with = "nanos")]
    pub origin_nanos: Option<u64>,
    #[serde(default = "one", deserialize_with = "time_scale")]
    pub time_scale: u32,
    pub poll: PollMode,
    pub policy: PolicyConfig,
    pub sink: SinkConfig,
    /// Without it all gateways are taken for alive, for ever.
    #[serde(default)]
    pub swarm: Option<SwarmSection>,
}

/// Where the dam runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum XdpMode {
    /// In the kernel where it can be had, in the driver rather than behind it, else in user space.
    Auto,
    /// In the driver, or the daemon does not start.
    Native,
    /// In the kernel's generic hook, or the daemon does not start.
    Generic,
    /// In user space.
    Off,
}

/// How the loop waits for packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PollMode {
    /// Never sleeps: takes a core, wakes up at once.
    Busy,
    /// Sleeps until a packet or a deadline comes.
    Sleep,
}

/// Where readings go.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum SinkConfig {
    /// One FIFO server in this process, which counts and forgets. Virtual time.
    Mock {
        /// From the end of a transaction's service to its outcome.
        commit_micros: u64,
        /// 0: no time at all.
        readings_per_second: u64,
    },
    /// Kafka, exactly once. See `docs/kafka.md`.
    #[cfg(feature = "kafka")]
    Kafka(Box<crate::kafka_config::KafkaSettings>),
    /// Whatever it says: it is not in this build.
    #[cfg(not(feature = "kafka"))]
    Kafka(serde::de::IgnoredAny),
}

/// A secret of 128 bits.
pub type Key = Hex<16>;

/// Bytes, written in the file as hexadecimal digits. Not printed by chance: most of them are secrets.
#[derive(Clone, Copy)]
pub struct Hex<const N: usize>(pub [u8; N]);

impl<const N: usize> std::fmt::Debug for Hex<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hex")
    }
}

impl<const N: usize> std::fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl<'de, const N: usize> Deserialize<'de> for Hex<N> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        // The text itself stays out of the message: it may be most of a key.
        let bad = || D::Error::custom(format!("expected {} hexadecimal digits", N * 2));
        let digits = digits.filter(|digits| digits.len() == N * 2).ok_or_else(bad)?;
        let mut bytes = [0; N];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
        }
        Ok(Self(bytes))
    }
}

impl Config {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn load(path: &Path) -> Result<Self, StartError> {
        let unreadable = |error| StartError::Unreadable { path: path.to_owned(), error };
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > FILE_BYTES_MAX {
            let error = std::io::Error::other(format!(
                "{bytes} bytes are no configuration: at most {FILE_BYTES_MAX}"
            ));
            return Err(unreadable(error));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut json = serde_json::Deserializer::from_str(&text);
        let config: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let key = match error.path().to_string() {
                root if root == "." => String::new(),
                key => key,
            };
            let problem = error.into_inner();
            let read_to = (problem.line(), problem.column());
            let place = Some(last_before(&text, &key, read_to).unwrap_or(read_to));
            let words = problem.to_string();
            // serde_json ends its message with the place, which is told in front.
            let words = words.split(" at line ").next().unwrap_or_default().to_owned();
            StartError::Config { path: path.to_owned(), place, key, problem: words }
        })?;
        let wrong = |key: &str, problem: String| {
            let place = place_of(&text, key);
            StartError::Config { path: path.to_owned(), place, key: key.to_owned(), problem }
        };
        json.end().map_err(|error| wrong("", format!("more after the end of the configuration: {error}")))?;
        config.check().map_err(|(key, problem)| wrong(&key, problem))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.gateway >= self.gateways {
            let problem =
                format!("there is no gateway {} of {}: they count from 0", self.gateway, self.gateways);
            return Err(("gateway".into(), problem));
        }
        if matches!(self.xdp, XdpMode::Native | XdpMode::Generic) && self.interface.is_none() {
            return Err(("interface".into(), "XDP needs the name of the interface to attach to".into()));
        }
        if self.policy.gateways != self.gateways {
            return Err(("policy.gateways".into(), "must be the same as gateways".into()));
        }
        if let (Some(swarm), false) = (&self.swarm, self.gateway_addresses.is_empty())
            && swarm.data_addresses() != self.gateway_addresses
        {
            let problem = "must be the same as data in swarm.roster, or left out";
            return Err(("gatewayAddresses".into(), problem.into()));
        }
        self.swarm_config()?;
        if self.gateways > 1 && self.addresses().is_empty() && self.policy.deduplicate {
            let problem = "a gateway of several must know where to send devices that are another's";
            return Err(("gatewayAddresses".into(), problem.into()));
        }
        self.check_sink()?;
        self.gateway_config().map(|_| ())
    }

    fn check_sink(&self) -> Result<(), (String, String)> {
        match &self.sink {
            SinkConfig::Mock { .. } => Ok(()),
            #[cfg(feature = "kafka")]
            SinkConfig::Kafka(settings) => settings.check(self.policy.shards, self.devices),
            #[cfg(not(feature = "kafka"))]
            SinkConfig::Kafka(_) => Err(("sink.kind".into(), crate::error::NO_KAFKA.into())),
        }
    }

    /// What a HELLO calls this gateway; 0, for any name, where it listens on all addresses and no other is told.
    pub fn gateway_number(&self, listen: IpAddr) -> u32 {
        wire::gateway_number(self.public_address.unwrap_or(listen))
    }

    /// What the swarm is set to, where there is one.
    ///
    /// # Errors
    /// The key that makes no swarm, and why.
    pub fn swarm_config(&self) -> Result<Option<SwarmConfig>, (String, String)> {
        let config = |swarm: &SwarmSection| {
            swarm.to_config(self.gateway, self.gateways, self.devices, self.time_scale)
        };
        self.swarm.as_ref().map(config).transpose()
    }

    /// Where devices find each gateway, by number.
    fn addresses(&self) -> Vec<SocketAddr> {
        match &self.swarm {
            Some(swarm) => swarm.data_addresses(),
            None => self.gateway_addresses.clone(),
        }
    }

    /// The gateway's own configuration: its tables are for the whole fleet, since any device may come to any gateway.
    ///
    /// # Errors
    /// The key that makes no gateway, and why.
    pub fn gateway_config(&self) -> Result<GatewayConfig, (String, String)> {
        let addresses = self.addresses().iter().map(address_of).collect();
        let settings = self.policy.settings(self.gateway, self.devices, self.assume_online, addresses);
        settings.to_config(self.gateway).map_err(|error| match error {
            GatewayError::Zero(name) => (format!("policy.{}", camel(name)), "must be at least 1".into()),
            GatewayError::InFlight => {
                ("policy.batchesInFlightMax".into(), "must be 1 with deduplicate: exactly once".into())
            }
            GatewayError::Dam(error) => ("policy".into(), error.to_string()),
            GatewayError::Addresses => {
                ("gatewayAddresses".into(), format!("one for each of {} gateways, or none", self.gateways))
            }
            GatewayError::Number => ("policy.gateways".into(), "must be the same as gateways".into()),
            GatewayError::DamDevices => ("devices".into(), "more than the dam is for".into()),
        })
    }
}

/// As the file writes it.
pub(crate) fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        name + &initial.to_ascii_uppercase() + rest
    })
}

/// Line and column of a key, `a.b[1].c` for one within others: of as much of it as the file has.
fn place_of(text: &str, key: &str) -> Option<(usize, usize)> {
    let (mut found, mut from, mut skipped) = (None, 0, 0);
    for part in key.split('.').filter(|part| !part.is_empty()) {
        let (name, index) = part.split_once('[').unwrap_or((part, "0]"));
        let quoted = format!("\"{name}\"");
        let Some(at) = text.get(from..)?.match_indices(&quoted).nth(skipped) else { break };
        from += at.0;
        found = Some(from);
        from += quoted.len();
        skipped = index.trim_end_matches(']').parse().unwrap_or(0);
    }
    line_and_column(text, found?)
}

/// Line and column of a key whose value has been read when the parser, which is at `read_to`, finds it wrong.
fn last_before(text: &str, key: &str, read_to: (usize, usize)) -> Option<(usize, usize)> {
    let leaf = key.rsplit('.').next().filter(|leaf| !leaf.is_empty() && !leaf.ends_with(']'))?;
    let (line, column) = read_to;
    let line_start: usize = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
    let read = text.get(..line_start + column).unwrap_or(text);
    line_and_column(text, read.rfind(&format!("\"{leaf}\""))?)
}

fn line_and_column(text: &str, at: usize) -> Option<(usize, usize)> {
    let before = text.get(..at)?;
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    Some((before.matches('\n').count() + 1, before.len() - line_start + 1))
}

fn one() -> u32 {
    1
}

fn address_of(address: &SocketAddr) -> GatewayAddress {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    GatewayAddress { address: ip.octets(), port: address.port() }
}

fn schema<'de, D: Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    let found = String::deserialize(from)?;
    let bad = || D::Error::custom(format!("this version reads {SCHEMA}, not {found:?}"));
    (found == SCHEMA).then_some(()).ok_or_else(bad)
}

fn in_range<'de, D: Deserializer<'de>>(from: D, most: u32) -> Result<u32, D::Error> {
    let found = u32::deserialize(from)?;
    let bad = || D::Error::custom(format!("{found} is not within 1 to {most}"));
    (1..=most).contains(&found).then_some(found).ok_or_else(bad)
}

fn at_least_one<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    in_range(from, u32::MAX)
}

fn devices<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    in_range(from, DEVICES_MAX)
}

/// The kernel's clock multiplies whole numbers alone.
fn time_scale<'de, D: Deserializer<'de>>(from: D) -> Result<u32, D::Error> {
    let found = serde_json::Number::deserialize(from)?;
    let scale = found.as_u64().and_then(|scale| u32::try_from(scale).ok());
    let bad = || D::Error::custom(format!("{found} is not a whole number within 1 to {TIME_SCALE_MAX}"));
    scale.filter(|scale| (1..=TIME_SCALE_MAX).contains(scale)).ok_or_else(bad)
}

/// A string, since 2^53 nanoseconds are 104 days.
fn nanos<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let bad = |text: &str| D::Error::custom(format!("expected nanoseconds in a string, found {text:?}"));
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| text.parse().map_err(|_| bad(&text))).transpose()
}

fn loopback<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let found = SocketAddr::deserialize(from)?;
    let bad = || {
        D::Error::custom(format!(
            "{found} is not a loopback address: whoever reaches the admin port may change everything"
        ))
    };
    found.ip().is_loopback().then_some(found).ok_or_else(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_as_the_file_names_them() {
        assert_eq!(camel("commit_interval_micros"), "commitIntervalMicros");
        assert_eq!(camel("producers"), "producers");
    }

    #[test]
    fn a_key_is_found_by_line_and_column() {
        assert_eq!(place_of("{\n  \"a\": 1,\n  \"bc\": 2\n}", "bc"), Some((3, 3)));
        assert_eq!(place_of("{}", "bc"), None);
        let nested = "{\"a\": 1, \"x\": {\n\"a\": [{\"k\": 1},\n{\"k\": 2}]}}";
        assert_eq!(place_of(nested, "a"), Some((1, 2)));
        assert_eq!(place_of(nested, "x.a[1].k"), Some((3, 2)));
        assert_eq!(last_before(nested, "x.a[1].k", (3, 8)), Some((3, 2)));
        assert_eq!(last_before(nested, "x.a[0].k", (2, 13)), Some((2, 8)));
        assert_eq!(last_before(nested, "x.a[1]", (3, 9)), None, "what is missing in it is nowhere");
        assert_eq!(place_of(nested, "x.a[1].z"), Some((2, 1)), "where it would be");
    }
}
