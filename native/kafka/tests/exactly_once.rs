//! Fencing, marks and visibility, against a real broker.
#![forbid(unsafe_code)]

mod common;

use common::*;
use klais_burst_sync::Lane;
use klais_kafka::{Outcome, SinkError};
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::time::Duration;

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn a_reading_is_a_record_and_the_marks_are_in_the_same_transaction() {
    let Some(brokers) = broker() else { return };
    let config = fresh(&brokers, 4);
    let mut sink = Sink::new(config.clone()).expect("a sink");
    assert_eq!(open(&mut sink, 2), (None, vec![]));
    let runs = vec![run(6, Lane::Live, 10, 3), run(2, Lane::Backfill, 0, 1), run(6, Lane::Live, 13, 2)];
    assert_eq!(commit(&mut sink, batch(2, 1, runs)), Outcome::Committed);

    let records = committed(&brokers, &config.data_topic, 2);
    let keys: Vec<_> = records.iter().map(|record| record.key.clone()).collect();
    assert_eq!(
        keys,
        [[6, 0], [6, 0], [6, 0], [2, 1], [6, 0], [6, 0]].map(|end| [[0; 3].to_vec(), end.to_vec()].concat())
    );
    let third = &records[2];
    assert_eq!(third.value, 12_u32.to_be_bytes().repeat(READING_BYTES / 4));
    let names: Vec<_> = third.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["d", "e", "l", "s", "t"]);
    assert_eq!(["d", "e", "l", "s", "t"].map(|name| third.header(name).len()), [4, 2, 1, 4, 8]);
    let expected = [6, 1, 0, 12, 1_700_000_012_000];
    assert_eq!(["d", "e", "l", "s", "t"].map(|name| third.number(name)), expected);
    assert!(third.timestamp > 1_700_000_000_000, "gateway time: {}", third.timestamp);
    assert_eq!(sequences(&records, 6, 0), [10, 11, 12, 13, 14]);

    let checkpoints = committed(&brokers, &config.checkpoint_topic, 2);
    let expected: [(&[u8], &[u8]); 2] =
        [(&[0, 0, 0, 2, 1], &[1, 0, 1, 0, 7, 0, 0, 0, 1]), (&[0, 0, 0, 6, 0], &[1, 0, 1, 0, 7, 0, 0, 0, 15])];
    let found: Vec<_> = checkpoints.iter().map(|record| (&record.key[..], &record.value[..])).collect();
    assert_eq!(found, expected);
    let counters = sink.counters();
    assert_eq!((counters.readings, counters.transactions, counters.checkpoints), (6, 1, 2));
    assert_eq!((counters.bytes, counters.failed(), counters.commit_micros.len()), (600, 0, 1));
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn a_zombie_is_fenced_and_leaves_nothing() {
    let Some(brokers) = broker() else { return };
    let config = fresh(&brokers, 2);
    let (mut zombie, mut owner) =
        (Sink::new(config.clone()).expect("a sink"), Sink::new(config.clone()).expect("a sink"));
    open(&mut zombie, 1);
    assert_eq!(commit(&mut zombie, batch(1, 1, vec![run(3, Lane::Live, 0, 5)])), Outcome::Committed);

    assert_eq!(open(&mut owner, 1), (None, vec![mark(3, Lane::Live, 5)]));
    assert_eq!(commit(&mut zombie, batch(1, 2, vec![run(3, Lane::Live, 5, 5)])), Outcome::Fenced);
    let late = commit(&mut zombie, batch(1, 3, vec![run(3, Lane::Live, 5, 5)]));
    assert_eq!(late, Outcome::Failed(SinkError::NotOpen));
    assert_eq!(commit(&mut owner, batch(1, 1, vec![run(3, Lane::Live, 5, 2)])), Outcome::Committed);

    let records = committed(&brokers, &config.data_topic, 1);
    assert_eq!(sequences(&records, 3, 0), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(open(&mut zombie, 1).1, [mark(3, Lane::Live, 7)], "it may take the shard back");
    assert_eq!(commit(&mut owner, batch(1, 2, vec![run(3, Lane::Live, 7, 1)])), Outcome::Fenced);
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn what_a_dead_owner_had_not_committed_is_invisible_and_no_mark_knows_it() {
    let Some(brokers) = broker() else { return };
    let config = fresh(&brokers, 1);
    let mut sink = Sink::new(config.clone()).expect("a sink");
    open(&mut sink, 0);
    assert_eq!(commit(&mut sink, batch(0, 1, vec![run(0, Lane::Live, 0, 3)])), Outcome::Committed);
    drop(sink);

    // Dies between the last delivery and the commit: data and mark are in the log, their transaction is not ended.
    let dead: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("transactional.id", format!("{}-shard-0", config.prefix))
        .create()
        .expect("a producer");
    dead.init_transactions(LONG).expect("fenced");
    dead.begin_transaction().expect("begun");
    let send = |topic: &str, key: &[u8], value: &[u8]| {
        let record = BaseRecord::to(topic).partition(0).key(key).payload(value);
        dead.send(record).map_err(|(error, _)| error).expect("sent");
    };
    send(&config.data_topic, &[0; 5], &[9; READING_BYTES]);
    send(&config.checkpoint_topic, &[0; 5], &[1, 0, 1, 0, 7, 0, 0, 0, 4]);
    dead.flush(LONG).expect("delivered");

    let mut next = Sink::new(config.clone()).expect("a sink");
    assert_eq!(open(&mut next, 0), (None, vec![mark(0, Lane::Live, 3)]));
    assert_eq!(commit(&mut next, batch(0, 1, vec![run(0, Lane::Live, 3, 1)])), Outcome::Committed);
    assert!(dead.commit_transaction(LONG).is_err(), "a dead owner that was only asleep");
    assert_eq!(sequences(&committed(&brokers, &config.data_topic, 0), 0, 0), [0, 1, 2, 3]);
    assert_eq!(read(&brokers, &config.data_topic, 0, "read_uncommitted").len(), 5, "it was in the log");
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn the_last_mark_of_every_lane_is_restored_and_the_term() {
    let Some(brokers) = broker() else { return };
    let config = fresh(&brokers, 3);
    let mut sink = Sink::new(config.clone()).expect("a sink");
    open(&mut sink, 0);
    assert_eq!(commit(&mut sink, claim(0, 1, 5)), Outcome::Committed);
    for n in 0..5 {
        let runs =
            vec![run(3, Lane::Live, n * 10, 10), run(9, Lane::Backfill, n, 1), run(0, Lane::Live, n, 1)];
        assert_eq!(commit(&mut sink, batch(0, 2 + n, runs)), Outcome::Committed);
    }
    assert_eq!(commit(&mut sink, claim(0, 9, 6)), Outcome::Committed);
    let marks = vec![mark(0, Lane::Live, 5), mark(3, Lane::Live, 50), mark(9, Lane::Backfill, 5)];
    assert_eq!(open(&mut sink, 0), (Some(6), marks));
    assert_eq!(open(&mut sink, 1), (None, vec![]), "another shard knows nothing of it");
    assert_eq!(sink.counters().restored, 17);
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn an_open_transaction_of_a_stranger_is_waited_for_and_then_told() {
    let Some(brokers) = broker() else { return };
    let mut config = fresh(&brokers, 1);
    config.open_timeout = Duration::from_secs(2);
    let stranger: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &brokers)
        .set("transactional.id", format!("{}-stranger", config.prefix))
        .create()
        .expect("a producer");
    stranger.init_transactions(LONG).expect("ready");
    stranger.begin_transaction().expect("begun");
    let record = BaseRecord::to(&config.checkpoint_topic).partition(0).key(&[0; 5]).payload(&[1; 9]);
    stranger.send(record).map_err(|(error, _)| error).expect("sent");
    stranger.flush(LONG).expect("delivered");

    let mut sink = Sink::new(config.clone()).expect("a sink");
    let told = try_open(&mut sink, 0).expect_err("an end that is not stable");
    assert_eq!(told, SinkError::Unfinished { topic: config.checkpoint_topic, partition: 0, offset: 0 });
    stranger.abort_transaction(LONG).expect("aborted");
    assert_eq!(open(&mut sink, 0), (None, vec![]));
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn without_transactions_a_zombie_doubles() {
    let Some(brokers) = broker() else { return };
    let mut config = fresh(&brokers, 1);
    config.transactions = false;
    let (mut zombie, mut owner) =
        (Sink::new(config.clone()).expect("a sink"), Sink::new(config.clone()).expect("a sink"));
    open(&mut zombie, 0);
    assert_eq!(commit(&mut zombie, batch(0, 1, vec![run(0, Lane::Live, 0, 2)])), Outcome::Committed);
    assert_eq!(open(&mut owner, 0).1, [mark(0, Lane::Live, 2)]);
    assert_eq!(commit(&mut owner, batch(0, 1, vec![run(0, Lane::Live, 2, 2)])), Outcome::Committed);
    assert_eq!(commit(&mut zombie, batch(0, 2, vec![run(0, Lane::Live, 2, 2)])), Outcome::Committed);
    let records = committed(&brokers, &config.data_topic, 0);
    assert_eq!(sequences(&records, 0, 0), [0, 1, 2, 3, 2, 3], "the control that a witness has to fail");
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn a_device_of_another_shard_fails_the_batch_and_leaves_nothing() {
    let Some(brokers) = broker() else { return };
    let config = fresh(&brokers, 2);
    let mut sink = Sink::new(config.clone()).expect("a sink");
    open(&mut sink, 1);
    let outcome = commit(&mut sink, batch(1, 1, vec![run(1, Lane::Live, 0, 3), run(2, Lane::Live, 0, 3)]));
    assert!(matches!(outcome, Outcome::Failed(SinkError::Malformed { .. })), "{outcome:?}");
    assert_eq!(open(&mut sink, 1), (None, vec![]));
    assert!(committed(&brokers, &config.data_topic, 1).is_empty());
}

#[test]
#[ignore = "needs a broker: KLAIS_KAFKA"]
fn bytes_that_do_not_divide_are_stored_all_the_same() {
    let Some(brokers) = broker() else { return };
    let config = fresh(&brokers, 1);
    let mut sink = Sink::new(config.clone()).expect("a sink");
    open(&mut sink, 0);
    let mut uneven = run(0, Lane::Live, 0, 3);
    uneven.payload = b"aabbccd".to_vec();
    assert_eq!(commit(&mut sink, batch(0, 1, vec![uneven])), Outcome::Committed);
    let values: Vec<_> =
        committed(&brokers, &config.data_topic, 0).into_iter().map(|record| record.value).collect();
    assert_eq!(values, [b"aa".to_vec(), b"bb".to_vec(), b"ccd".to_vec()]);
}
