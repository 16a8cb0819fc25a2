//! Topics for the time of the measurement.

use klais_kafka::KafkaConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, Producer};
use std::error::Error;
use std::thread;
use std::time::Duration;

const TRIES: u32 = 600;
const PAUSE: Duration = Duration::from_millis(50);
const TIME: Duration = Duration::from_secs(60);

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
    for topic in [&config.data_topic, &config.checkpoint_topic] {
        wait_for(topic, config)?;
    }
    Ok(())
}

/// A topic that was made is told to the broker's clients a little later.
fn wait_for(topic: &str, config: &KafkaConfig) -> Result<(), Box<dyn Error>> {
    let client: BaseProducer = ClientConfig::new().set("bootstrap.servers", &config.brokers).create()?;
    for _ in 0..TRIES {
        let about = client.client().fetch_metadata(Some(topic), TIME)?;
        if about.topics().iter().any(|found| found.partitions().len() == usize::from(config.shards)) {
            return Ok(());
        }
        thread::park_timeout(PAUSE);
    }
    Err(format!("{topic} does not come to be").into())
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
