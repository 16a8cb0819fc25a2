//! The daemon with Kafka behind it: what is acknowledged is in the log, once, also across a kill.
#![cfg(feature = "kafka")]
#![allow(clippy::disallowed_methods, reason = "real processes in real time")]

mod common;

use common::{Daemon, Device, PATIENCE, config};
use klais_kafka::rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use klais_kafka::rdkafka::client::DefaultClientContext;
use klais_kafka::rdkafka::config::ClientConfig;
use klais_kafka::rdkafka::consumer::{BaseConsumer, Consumer};
use klais_kafka::rdkafka::error::KafkaError;
use klais_kafka::rdkafka::message::Message;
use klais_kafka::rdkafka::{Offset, TopicPartitionList};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

/// Topics of this test alone, and a daemon's configuration for them. `None`, and said so, where there is no broker.
fn with_kafka(name: &str) -> Option<Value> {
    let brokers = std::env::var("KLAIS_KAFKA").ok().filter(|brokers| !brokers.is_empty());
    let Some(brokers) = brokers else {
        println!("skipped: KLAIS_KAFKA is not set, and it needs a Kafka broker, host:port");
        return None;
    };
    let name = format!("klais-gatewayd-{}-{name}", std::process::id());
    let (data, checkpoints) = (format!("{name}-readings"), format!("{name}-checkpoints"));
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &brokers).create().expect("an admin client");
    let topics = [
        NewTopic::new(&data, 1, TopicReplication::Fixed(1)),
        NewTopic::new(&checkpoints, 1, TopicReplication::Fixed(1)).set("cleanup.policy", "compact"),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let made = runtime.block_on(admin.create_topics(&topics, &AdminOptions::new())).expect("an answer");
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    let mut config = config();
    config["sink"] = json!({
        "kind": "kafka", "brokers": brokers, "prefix": name,
        "dataTopic": data, "checkpointTopic": checkpoints
    });
    Some(config)
}

/// What a reader who waits for commits sees: the values.
fn committed(config: &Value) -> Vec<Vec<u8>> {
    let text = |key: &str| config["sink"][key].as_str().expect("text").to_owned();
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", text("brokers"))
        .set("group.id", "klais-test")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .expect("a consumer");
    let mut all = TopicPartitionList::new();
    all.add_partition_offset(&text("dataTopic"), 0, Offset::Beginning).expect("an offset");
    consumer.assign(&all).expect("assigned");
    let mut values = Vec::new();
    loop {
        match consumer.poll(PATIENCE) {
            Some(Ok(record)) => values.push(record.payload().unwrap_or_default().to_vec()),
            Some(Err(KafkaError::PartitionEOF(_))) => return values,
            other => panic!("{:?}", other.map(|found| found.map(drop))),
        }
    }
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn what_is_acknowledged_is_in_kafka() {
    let Some(config) = with_kafka("acknowledged") else { return };
    let daemon = Daemon::start(&config);
    let device = Device::new(7, daemon.listen);
    device.connect(1);
    assert_eq!(device.deliver(1, 0, 5), 5);
    assert_eq!(committed(&config), vec![vec![0x5A; 12]; 5]);
    let stats = daemon.stats();
    assert_eq!((&stats["sink"]["readings"], &stats["kafka"]["bytes"]), (&json!(5), &json!(60)));
    assert_eq!((&stats["kafka"]["circuit"], &stats["kafka"]["shardsOpened"]), (&json!("closed"), &json!(1)));
    let (_, metrics) = daemon.get("/metrics");
    assert!(metrics.contains("klais_kafka_bytes_total 60"), "{metrics}");
    daemon.signal(Signal::SIGTERM);
    let (status, last) = daemon.end();
    assert_eq!((status.code(), &last.expect("last words")["drained"]), (Some(0), &json!(true)));
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn who_comes_after_a_killed_daemon_stores_nothing_twice() {
    let Some(config) = with_kafka("killed") else { return };
    let first = Daemon::start(&config);
    let device = Device::new(7, first.listen);
    device.connect(1);
    assert_eq!(device.deliver(1, 0, 5), 5);
    first.signal(Signal::SIGKILL);
    drop(first.end());

    let second = Daemon::start(&config);
    let device = Device::new(7, second.listen);
    let admit = device.connect(2);
    assert_eq!(admit.marks.map(|(live, _)| live), Some(5), "it knows what is stored");
    // The device had not heard of it: all of it comes again, and more.
    assert_eq!(device.deliver(2, 0, 8), 8);
    assert_eq!(committed(&config).len(), 8);
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn a_topic_that_is_not_there_keeps_it_from_being_ready() {
    let Some(mut config) = with_kafka("missing") else { return };
    config["sink"]["dataTopic"] = "klais-no-such-topic".into();
    let daemon = Daemon::start(&config);
    let (status, body) = daemon.get("/ready");
    assert_eq!((status, body.contains(r#""ready":false"#)), (503, true), "{body}");
    daemon.until("it is counted", |stats| stats["kafka"]["failures"]["no-topic"].as_u64() > Some(0));
}
