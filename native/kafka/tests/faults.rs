//! What happens when broker, network or quota fail, with a broker of the test's own.
#![forbid(unsafe_code)]

mod common;

use common::own_broker::OwnBroker;
use common::owner::Owner;
use common::proxy::{Client, Proxy, settle};
use common::*;
use klais_burst_sync::Lane;
use klais_kafka::{CircuitState, Outcome, SinkError, SinkEvent};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

/// Tells in good time that a broker is silent.
fn impatient(config: &mut klais_kafka::KafkaConfig) {
    config.open_timeout = Duration::from_secs(10);
    config.stall_timeout = Duration::from_secs(2);
    config.commit_timeout = Duration::from_secs(2);
    config.transaction_timeout = Duration::from_secs(10);
}

#[test]
#[ignore = "needs Kafka's jars: KLAIS_KAFKA_JARS"]
fn a_broker_that_stops_dies_and_freezes_loses_and_doubles_nothing() {
    let Some(mut broker) = OwnBroker::start() else { return };
    let mut config = fresh(&broker.brokers(), 1);
    impatient(&mut config);
    let (mut sink, mut owner) = (Sink::new(config.clone()).expect("a sink"), Owner::new(0));
    owner.open(&mut sink, LONG);
    let faults: [fn(&mut OwnBroker); 3] = [OwnBroker::stop, OwnBroker::kill, |broker| broker.freeze()];
    for (n, fault) in faults.into_iter().enumerate() {
        for _ in 0..5 {
            assert!(owner.store(&mut sink), "{:?}", owner.failures.last());
        }
        let failed = owner.failures.len();
        fault(&mut broker);
        assert!(!owner.store(&mut sink), "a broker that is away commits nothing");
        if n < 2 {
            broker.start_again();
        } else {
            broker.thaw();
        }
        owner.open(&mut sink, LONG);
        assert!(owner.failures.len() > failed);
    }
    assert!(owner.store(&mut sink));
    owner.assert_stored(&broker.brokers(), &config.data_topic);
}

#[test]
#[ignore = "needs Kafka's jars: KLAIS_KAFKA_JARS"]
fn a_broker_that_comes_and_goes_under_load_loses_and_doubles_nothing() {
    let Some(mut broker) = OwnBroker::start() else { return };
    let mut config = fresh(&broker.brokers(), 1);
    impatient(&mut config);
    let brokers = broker.brokers();
    let mut owner = Owner::new(0);
    thread::scope(|scope| {
        let chaos = scope.spawn(move || {
            for _ in 0..2 {
                thread::park_timeout(Duration::from_millis(700));
                broker.kill();
                broker.start_again();
            }
            broker
        });
        let mut sink = Sink::new(config.clone()).expect("a sink");
        owner.open(&mut sink, LONG);
        while !chaos.is_finished() {
            if !owner.store(&mut sink) {
                owner.open(&mut sink, LONG);
            }
        }
        let _broker = chaos.join().expect("no panic");
        assert!(!owner.failures.is_empty(), "the broker was away");
        owner.assert_stored(&brokers, &config.data_topic);
    });
}

#[test]
#[ignore = "needs Kafka's jars: KLAIS_KAFKA_JARS"]
fn the_circuit_opens_when_the_broker_is_away_and_closes_when_it_is_back() {
    let Some(mut broker) = OwnBroker::start() else { return };
    let mut config = fresh(&broker.brokers(), 2);
    config.open_timeout = Duration::from_secs(1);
    config.circuit.failures = 2;
    config.circuit.pause_millis_min = 3_000;
    config.circuit.pause_millis_max = 3_000;
    let mut sink = Sink::new(config).expect("a sink");
    // A new broker's coordinator takes a while.
    Owner::new(0).open(&mut sink, LONG);
    broker.stop();
    for _ in 0..2 {
        assert!(matches!(
            try_open(&mut sink, 1),
            Err(SinkError::Unreachable { .. } | SinkError::TimedOut { .. })
        ));
    }
    assert_eq!(sink.counters().circuit, CircuitState::Open);
    assert!(matches!(try_open(&mut sink, 1), Err(SinkError::CircuitOpen { millis: 1..=3_000 })));
    let refused = commit(&mut sink, batch(0, 1, vec![run(0, Lane::Live, 0, 1)]));
    assert!(matches!(refused, Outcome::Failed(SinkError::CircuitOpen { .. })), "{refused:?}");
    broker.start_again();
    for _ in 0..100 {
        if try_open(&mut sink, 1).is_ok() {
            break;
        }
        thread::park_timeout(Duration::from_millis(100));
    }
    assert_eq!((sink.counters().circuit, sink.counters().circuit_opened > 0), (CircuitState::Closed, true));
}

#[test]
#[ignore = "needs Kafka's jars: KLAIS_KAFKA_JARS"]
fn a_quota_slows_down_and_breaks_nothing() {
    let Some(broker) = OwnBroker::start() else { return };
    let config = fresh(&broker.brokers(), 1);
    broker.limit(&format!("{}-gateway", config.prefix), 100_000);
    let mut sink = Sink::new(config.clone()).expect("a sink");
    open(&mut sink, 0);
    for n in 0..12 {
        let outcome = commit(&mut sink, batch(0, n, vec![run(0, Lane::Live, n * 1_000, 1_000)]));
        assert_eq!(outcome, Outcome::Committed);
    }
    // The client reports once a second.
    thread::park_timeout(Duration::from_secs(2));
    assert!(sink.counters().throttled_millis > 0);
    assert_eq!(committed(&broker.brokers(), &config.data_topic, 0).len(), 12_000);
}

/// A broker behind a proxy.
fn behind_proxy() -> Option<(OwnBroker, Proxy)> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let mut broker = OwnBroker::prepare(Some(port))?;
    let proxy = Proxy::start(listener, broker.port);
    broker.start_again();
    Some((broker, proxy))
}

#[test]
#[ignore = "needs Kafka's jars: KLAIS_KAFKA_JARS"]
fn a_delayed_end_of_a_transaction_that_failed_ends_nothing() {
    let Some((_broker, proxy)) = behind_proxy() else { return };
    let brokers = format!("127.0.0.1:{}", proxy.port);
    let mut config = fresh(&brokers, 1);
    impatient(&mut config);
    let (mut sink, mut owner) = (Sink::new(config.clone()).expect("a sink"), Owner::new(0));
    owner.open(&mut sink, LONG);
    assert!(owner.store(&mut sink));
    let held = proxy.hold(Client::Waits);
    assert!(!owner.store(&mut sink), "its end has not arrived");
    let held = held.recv_timeout(LONG).expect("held");
    let before = owner.mark;
    owner.open(&mut sink, LONG);
    assert_eq!(owner.mark, before, "nothing of it is stored");
    held.release();
    settle();
    assert!(owner.store(&mut sink) && owner.store(&mut sink));
    owner.assert_stored(&brokers, &config.data_topic);
}

#[test]
#[ignore = "needs Kafka's jars: KLAIS_KAFKA_JARS"]
fn a_second_copy_of_an_end_ends_no_other_transaction() {
    let Some((_broker, proxy)) = behind_proxy() else { return };
    let brokers = format!("127.0.0.1:{}", proxy.port);
    let config = fresh(&brokers, 1);
    let (mut sink, mut owner) = (Sink::new(config.clone()).expect("a sink"), Owner::new(0));
    owner.open(&mut sink, LONG);
    let held = proxy.hold(Client::IsCut);
    assert!(owner.store(&mut sink), "the client sends the end again by itself");
    let held = held.recv_timeout(LONG).expect("held");
    assert!(!owner.store(&mut sink), "the first copy may still come");
    assert_eq!(owner.failures, [SinkError::Disturbed]);
    owner.open(&mut sink, LONG);
    held.release();
    settle();
    assert!(owner.store(&mut sink));
    owner.assert_stored(&brokers, &config.data_topic);
}

/// Why the sink gives up a producer whose connection broke: what would happen to one that went on.
#[test]
#[ignore = "needs Kafka's jars: KLAIS_KAFKA_JARS"]
fn a_client_that_goes_on_has_its_next_transaction_ended_by_the_copy() {
    let Some((_broker, proxy)) = behind_proxy() else { return };
    let brokers = format!("127.0.0.1:{}", proxy.port);
    let config = fresh(&brokers, 1);
    let client: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("transactional.id", "careless")
        .create()
        .expect("a producer");
    let send = || {
        let record = BaseRecord::to(&config.data_topic).partition(0).key(&[0; 5]).payload(&[0; 9]);
        client.send(record).map_err(|(error, _)| error).expect("sent");
        client.flush(LONG).expect("delivered");
    };
    let visible = || committed(&brokers, &config.data_topic, 0).len();
    client.init_transactions(LONG).expect("ready");
    client.begin_transaction().expect("begun");
    send();
    let held = proxy.hold(Client::IsCut);
    client.commit_transaction(LONG).expect("committed at the second try");
    let held = held.recv_timeout(LONG).expect("held");
    client.begin_transaction().expect("begun");
    send();
    assert_eq!(visible(), 1);
    held.release();
    settle();
    assert_eq!(visible(), 2, "the second transaction is committed, and nobody asked for it");
}

#[test]
#[ignore = "needs Kafka's jars: KLAIS_KAFKA_JARS"]
fn a_frozen_broker_fails_what_is_under_way_and_blocks_nobody() {
    let Some(broker) = OwnBroker::start() else { return };
    let mut config = fresh(&broker.brokers(), 1);
    impatient(&mut config);
    let mut sink = Sink::new(config).expect("a sink");
    open(&mut sink, 0);
    broker.freeze();
    sink.submit(batch(0, 1, vec![run(0, Lane::Live, 0, 1)]));
    assert_eq!((sink.undecided(), sink.event()), (1, None), "it does not wait");
    let decided = next_within(&mut sink, Duration::from_secs(20));
    let late = SinkError::TimedOut { what: "delivering a transaction's records" };
    assert_eq!(decided, Some(SinkEvent::Decided { shard: 0, batch: 1, outcome: Outcome::Failed(late) }));
    broker.thaw();
    assert_eq!(open(&mut sink, 0), (None, vec![]));
}
