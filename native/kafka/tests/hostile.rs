//! Topics and addresses that cannot work: every one is told by name, with what to do.
#![forbid(unsafe_code)]

mod common;

use common::own_broker::free_ports;
use common::*;
use klais_kafka::{KafkaConfig, SinkError, SinkEvent};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::time::Duration;

fn refused(config: &KafkaConfig) -> SinkError {
    let mut sink = Sink::new(config.clone()).expect("a sink");
    try_open(&mut sink, 0).expect_err("refused")
}

#[test]
fn a_port_where_nobody_listens_is_told_within_the_time_and_without_waiting_for_it() {
    let [port] = free_ports();
    let mut config = KafkaConfig::new(format!("127.0.0.1:{port}"), 2, 10);
    config.open_timeout = Duration::from_secs(1);
    config.circuit.failures = 1;
    let mut sink = Sink::new(config).expect("a sink");
    sink.open(0);
    assert_eq!(sink.event(), None);
    let told = next(&mut sink);
    let SinkEvent::OpenFailed { shard: 0, error } = told else { panic!("{told:?}") };
    assert!(matches!(error, SinkError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{port}: start it")), "{error}");
    assert!(matches!(try_open(&mut sink, 1), Err(SinkError::CircuitOpen { .. })));
    assert!(matches!(try_open(&mut sink, 2), Err(SinkError::Setting { key: "shards", .. })));
    assert_eq!(sink.counters().failed(), 3);
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn topics_that_are_not_as_they_have_to_be_are_refused() {
    let Some(brokers) = broker() else { return };
    let config = unmade(&brokers, 3);
    let (data, checkpoints) = (config.data_topic.clone(), config.checkpoint_topic.clone());
    assert_eq!(refused(&config), SinkError::NoTopic { topic: data.clone(), shards: 3 });
    create(&brokers, &data, 3, &[]);
    assert_eq!(refused(&config), SinkError::NoTopic { topic: checkpoints.clone(), shards: 3 });
    create(&brokers, &checkpoints, 2, &[("cleanup.policy", "compact")]);
    let told = refused(&config);
    assert_eq!(told, SinkError::Partitions { topic: checkpoints.clone(), found: 2, shards: 3 });
    assert!(told.to_string().contains("configure 2 shards"), "{told}");

    let mut config = fresh(&brokers, 1);
    config.checkpoint_topic.clone_from(&config.data_topic);
    config.data_topic.push_str("-2");
    create(&brokers, &config.data_topic, 1, &[]);
    let told = refused(&config);
    assert!(matches!(told, SinkError::NotCompacted { .. }), "{told:?}");
    assert!(told.to_string().ends_with("set it to compact"), "{told}");
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn what_others_wrote_into_the_checkpoint_topic_is_refused() {
    let Some(brokers) = broker() else { return };
    let stranger: BaseProducer =
        ClientConfig::new().set("bootstrap.servers", &brokers).create().expect("a producer");
    let records: [(&[u8], &[u8], &str); 4] = [
        (b"key", b"value", "its key has 3 bytes"),
        (&[0, 0, 0, 1, 0], &[1; 9], "device 1 is of shard 1: the number of shards has changed"),
        (&[255, 0, 0, 0, 0], &[1; 9], "device 4278190080 of a fleet of 10000000"),
        (&[0, 0, 0, 0, 0], &[2; 9], "it has version 2"),
    ];
    for (key, value, words) in records {
        let config = fresh(&brokers, 2);
        let record = BaseRecord::to(&config.checkpoint_topic).partition(0).key(key).payload(value);
        stranger.send(record).map_err(|(error, _)| error).expect("sent");
        stranger.flush(LONG).expect("delivered");
        let told = refused(&config);
        assert!(matches!(told, SinkError::Foreign { partition: 0, offset: 0, .. }), "{told:?}");
        assert!(told.to_string().contains(words), "{told}");
    }
}
