use super::*;

fn refused(change: impl FnOnce(&mut KafkaConfig)) -> String {
    let mut config = KafkaConfig::new("127.0.0.1:9092,broker-2:9092", 4, 100);
    assert_eq!(config.check(), Ok(()));
    change(&mut config);
    config.check().map_or_else(|error| error.to_string(), |()| "nothing".to_owned())
}

#[test]
fn what_cannot_work_is_refused_by_name() {
    let starts = |text: String, start: &str| {
        assert!(text.starts_with(start), "{text:?} does not start with {start:?}")
    };
    for brokers in ["", "broker", "broker:", ":9092", "broker:0", "broker:99999", "a:1,,b:2", "a b:1"] {
        starts(refused(|config| config.brokers = brokers.to_owned()), "brokers: ");
    }
    starts(refused(|config| config.prefix = String::new()), "prefix: ");
    starts(refused(|config| config.data_topic = "a topic".to_owned()), "data_topic: ");
    starts(refused(|config| config.checkpoint_topic = "x".repeat(250)), "checkpoint_topic: ");
    starts(refused(|config| config.checkpoint_topic = config.data_topic.clone()), "checkpoint_topic: ");
    starts(refused(|config| config.shards = 0), "shards: ");
    starts(refused(|config| config.shards = SHARDS_MAX + 1), "shards: ");
    starts(refused(|config| config.devices = 0), "devices: ");
    starts(refused(|config| config.commit_timeout = Duration::ZERO), "commit_timeout: ");
    starts(refused(|config| config.transaction_timeout = Duration::from_secs(20)), "transaction_timeout: ");
    starts(
        refused(|config| config.transaction_timeout = Duration::from_secs(1_000)),
        "transaction_timeout: ",
    );
    starts(refused(|config| config.undecided_bytes_max = 0), "undecided_bytes_max: ");
    starts(refused(|config| config.circuit.failures = 0), "circuit.failures: ");
    starts(refused(|config| config.circuit.pause_millis_max = 1), "circuit.pause_millis_max: ");
}

#[test]
fn settings_of_the_client_are_taken_but_those_that_the_guarantees_rest_on() {
    let with = |key: &str, value: &str| {
        let (key, value) = (key.to_owned(), value.to_owned());
        refused(|config| drop(config.extra.insert(key, value)))
    };
    assert_eq!(with("client.rack", "a"), "nothing");
    assert!(with("enable.idempotence", "false").starts_with("extra: enable.idempotence is not to be set"));
    assert!(with("no.such.setting", "1").starts_with("extra: "), "{}", with("no.such.setting", "1"));
    assert!(with("socket.keepalive.enable", "perhaps").starts_with("extra: "));
}

#[test]
fn the_list_of_owned_settings_is_that_of_the_clients() {
    let config = KafkaConfig::new("127.0.0.1:9092", 4, 100);
    for key in ["transactional.id", "transaction.timeout.ms", "isolation.level", "enable.idempotence"] {
        assert!(config.producer(3).get(key).is_some() && OWNED.contains(&key), "{key}");
    }
    assert_eq!(config.producer(3).get("transactional.id"), Some("klais-shard-3"));
    assert_eq!(config.consumer().get("isolation.level"), Some("read_committed"));
    assert_eq!(KafkaConfig { transactions: false, ..config }.producer(3).get("transactional.id"), None);
}
