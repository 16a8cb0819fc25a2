//! A gateway that the others had given up makes sure of its shards: nobody loses a session for nothing.

mod common;

use common::{SECOND, arrive, config, gateway, hello, sent, submissions};
use klais_burst_sync::{Frame, Term};
use klais_gateway::{Gateway, Outcome, SinkRequest};

/// A gateway with a device online and nothing under way, which is then given up by the others.
fn doubting() -> Gateway {
    let mut gateway = gateway(&config(4));
    arrive(&mut gateway, 0, 1, &hello(1, 0, 0));
    assert!(matches!(sent(&mut gateway)[..], [(_, Frame::Admit(_))]));
    assert_eq!(gateway.stats().online, 1);
    gateway.poll(SECOND);
    for batch in submissions(&mut gateway) {
        gateway.sink_outcome(SECOND, batch.batch, Outcome::Committed);
    }
    gateway.doubt(SECOND);
    gateway
}

#[test]
fn whoever_was_not_replaced_proves_it_and_serves_on() {
    let mut gateway = doubting();
    assert!(!gateway.is_idle());
    gateway.poll(2 * SECOND);
    let proof = submissions(&mut gateway);
    assert_eq!(proof.len(), 1, "once");
    assert_eq!((proof[0].claim, proof[0].entries.len()), (Some(Term::default()), 0));
    gateway.sink_outcome(2 * SECOND, proof[0].batch, Outcome::Committed);
    assert!(gateway.is_idle());
    assert_eq!((gateway.stats().online, gateway.stats().shards, gateway.stats().fenced), (1, 1, 0));
}

#[test]
fn whoever_was_replaced_is_fenced_and_reads_the_shard_anew() {
    let mut gateway = doubting();
    gateway.poll(2 * SECOND);
    let proof = submissions(&mut gateway).pop().expect("a proof");
    gateway.sink_outcome(2 * SECOND, proof.batch, Outcome::Fenced);
    assert_eq!((gateway.stats().online, gateway.stats().shards, gateway.stats().fenced), (0, 0, 1));
    gateway.poll(4 * SECOND);
    let requests: Vec<_> = gateway.take_sink_requests().collect();
    assert!(matches!(requests[..], [SinkRequest::Open { shard: 0, .. }]), "{requests:?}");
}
