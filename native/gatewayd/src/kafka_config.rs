//! The `sink` part of the configuration where it is Kafka. `docs/kafka.md` describes every key.

use crate::config::camel;
use klais_kafka::{Compression, KafkaConfig, SinkError};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What is not there is as [`KafkaConfig::new`] has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KafkaSettings {
    brokers: String,
    prefix: Option<String>,
    data_topic: Option<String>,
    checkpoint_topic: Option<String>,
    transactions: Option<bool>,
    compression: Option<Packing>,
    linger_millis: Option<u32>,
    request_records_max: Option<u32>,
    batch_bytes: Option<u32>,
    open_timeout_millis: Option<u64>,
    stall_timeout_millis: Option<u64>,
    commit_timeout_millis: Option<u64>,
    transaction_timeout_millis: Option<u64>,
    undecided_readings_max: Option<u64>,
    undecided_bytes_max: Option<u64>,
    circuit_failures: Option<u32>,
    circuit_pause_millis_min: Option<u64>,
    circuit_pause_millis_max: Option<u64>,
    /// Further settings of librdkafka.
    #[serde(default)]
    client: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Packing {
    None,
    Lz4,
    Snappy,
}

impl KafkaSettings {
    /// For a fleet.
    ///
    /// # Errors
    /// More shards than there can be.
    pub fn to_config(&self, shards: u32, devices: u32) -> Result<KafkaConfig, SinkError> {
        let shards = u16::try_from(shards).map_err(|_| SinkError::Setting {
            key: "shards",
            problem: format!("{shards} are more than Kafka's sink takes"),
        })?;
        let mut config = KafkaConfig::new(self.brokers.as_str(), shards, devices);
        set(&mut config.prefix, self.prefix.clone());
        set(&mut config.data_topic, self.data_topic.clone());
        set(&mut config.checkpoint_topic, self.checkpoint_topic.clone());
        set(&mut config.transactions, self.transactions);
        set(&mut config.compression, self.compression.map(Into::into));
        set(&mut config.linger_millis, self.linger_millis);
        set(&mut config.request_records_max, self.request_records_max);
        set(&mut config.batch_bytes, self.batch_bytes);
        set(&mut config.open_timeout, self.open_timeout_millis.map(Duration::from_millis));
        set(&mut config.stall_timeout, self.stall_timeout_millis.map(Duration::from_millis));
        set(&mut config.commit_timeout, self.commit_timeout_millis.map(Duration::from_millis));
        set(&mut config.transaction_timeout, self.transaction_timeout_millis.map(Duration::from_millis));
        set(&mut config.undecided_readings_max, self.undecided_readings_max);
        set(&mut config.undecided_bytes_max, self.undecided_bytes_max);
        set(&mut config.circuit.failures, self.circuit_failures);
        set(&mut config.circuit.pause_millis_min, self.circuit_pause_millis_min);
        set(&mut config.circuit.pause_millis_max, self.circuit_pause_millis_max);
        config.extra.clone_from(&self.client);
        Ok(config)
    }

    /// Finds what cannot work, without asking a broker.
    ///
    /// # Errors
    /// The key in the file, and what is wrong with it.
    pub fn check(&self, shards: u32, devices: u32) -> Result<(), (String, String)> {
        let checked = self.to_config(shards, devices).and_then(|config| config.check());
        checked.map_err(|error| match error {
            SinkError::Setting { key, problem } => (key_of(key), problem),
            other => ("sink".to_owned(), other.to_string()),
        })
    }
}

impl From<Packing> for Compression {
    fn from(packing: Packing) -> Self {
        match packing {
            Packing::None => Self::None,
            Packing::Lz4 => Self::Lz4,
            Packing::Snappy => Self::Snappy,
        }
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// What the file calls a setting.
fn key_of(setting: &str) -> String {
    match setting {
        "shards" => "policy.shards".to_owned(),
        "devices" => "devices".to_owned(),
        "extra" => "sink.client".to_owned(),
        _ if setting.ends_with("_timeout") => format!("sink.{}Millis", camel(setting)),
        _ => format!("sink.{}", camel(&setting.replace('.', "_"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(change: serde_json::Value) -> Result<(), (String, String)> {
        let mut settings = json!({ "brokers": "127.0.0.1:9092" });
        if let (Some(settings), Some(change)) = (settings.as_object_mut(), change.as_object()) {
            settings.extend(change.clone());
        }
        let settings: KafkaSettings = serde_json::from_value(settings).expect("settings");
        settings.check(4, 100)
    }

    #[test]
    fn a_wrong_setting_is_told_by_the_name_that_the_file_has_for_it() {
        assert_eq!(checked(json!({})), Ok(()));
        let key = |change| checked(change).expect_err("refused").0;
        assert_eq!(key(json!({ "brokers": "nowhere" })), "sink.brokers");
        assert_eq!(key(json!({ "dataTopic": "a b" })), "sink.dataTopic");
        assert_eq!(key(json!({ "commitTimeoutMillis": 1 })), "sink.commitTimeoutMillis");
        assert_eq!(key(json!({ "circuitFailures": 0 })), "sink.circuitFailures");
        assert_eq!(key(json!({ "circuitPauseMillisMax": 1 })), "sink.circuitPauseMillisMax");
        assert_eq!(key(json!({ "client": { "acks": "1" } })), "sink.client");
    }

    #[test]
    fn what_the_file_says_is_what_the_sink_is_told() {
        let settings = json!({
            "brokers": "a:1,b:2", "prefix": "p", "transactions": false, "compression": "lz4",
            "stallTimeoutMillis": 1_500, "undecidedReadingsMax": 7, "client": { "client.rack": "r" }
        });
        let settings: KafkaSettings = serde_json::from_value(settings).expect("settings");
        let config = settings.to_config(4, 100).expect("a configuration");
        assert_eq!(
            (config.brokers.as_str(), config.prefix.as_str(), config.transactions),
            ("a:1,b:2", "p", false)
        );
        assert_eq!(
            (config.compression, config.stall_timeout),
            (Compression::Lz4, Duration::from_millis(1_500))
        );
        assert_eq!((config.undecided_readings_max, config.extra.len()), (7, 1));
        assert!(settings.to_config(70_000, 100).is_err());
    }
}
