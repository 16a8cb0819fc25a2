//! Topics for the time of the measurement.

use klais_kafka::KafkaConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use std::error::Error;

/// A partition keeps no more than this: what is measured is written, not kept.
const RETENTION_BYTES: &str = "200000000";
const SEGMENT_BYTES: &str = "67108864";

pub fn make(config: &KafkaConfig) -> Result<(), Box<dyn Error>> {
    let topic = |name| NewTopic::new(name, i32::from(config.shards), TopicReplication::Fixed(1));
    let data = topic(&config.data_topic)
        .set("retention.bytes", RETENTION_BYTES)
        .set("segment.bytes", SEGMENT_BYTES)
        .set("file.delete.delay.ms", "1000");
    let checkpoints = topic(&config.checkpoint_topic)
        .set("cleanup.policy", "compact")
        .set("segment.bytes", SEGMENT_BYTES)
        .set("min.cleanable.dirty.ratio", "0.5");
    let answers =
        runtime()?.block_on(admin(config)?.create_topics([&data, &checkpoints], &AdminOptions::new()))?;
    answers.into_iter().collect::<Result<Vec<_>, _>>().map_err(|(topic, code)| format!("{topic}: {code}"))?;
    Ok(())
}

pub fn remove(config: &KafkaConfig) -> Result<(), Box<dyn Error>> {
    let topics = [config.data_topic.as_str(), config.checkpoint_topic.as_str()];
    runtime()?.block_on(admin(config)?.delete_topics(&topics, &AdminOptions::new()))?;
    Ok(())
}

fn admin(config: &KafkaConfig) -> Result<AdminClient<DefaultClientContext>, Box<dyn Error>> {
    Ok(ClientConfig::new().set("bootstrap.servers", &config.brokers).create()?)
}

fn runtime() -> Result<tokio::runtime::Runtime, Box<dyn Error>> {
    Ok(tokio::runtime::Builder::new_current_thread().build()?)
}
