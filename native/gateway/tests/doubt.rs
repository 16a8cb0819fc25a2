//! A gateway that the others had given up makes sure of its shards: nobody loses a session for nothing.

mod common;

use common::{SECOND, arrive, config, gateway, hello, sent, submissions};
use klais_burst_sync::{Frame, Term};
use klais_gateway::{Gateway, Outcome, SinkRequest};

fn opened(gateway: &mut Gateway) {
    arrive(gateway, 0, 1, &hello(1, 0, 0));
    assert!(matches!(sent(gateway)[..], [(_, Frame::Admit(_))]));
    assert_eq!(gateway.stats().online, 1);
}

#[test]
fn whoever_was_not_replaced_proves_it_and_serves_on() {
    let mut gateway = gateway(&config(4));
    opened(&mut gateway);
    gateway.poll(SECOND);
    for batch in submissions(&mut gateway) {
        gateway.sink_outcome(SECOND, batch.batch, Outcome::Committed);
    }
    gateway.doubt(SECOND);
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
    let mut gateway = gateway(&config(4));
    opened(&mut gateway);
    gateway.poll(SECOND);
    for batch in submissions(&mut gateway) {
        gateway.sink_outcome(SECOND, batch.batch, Outcome::Committed);
    }
    gateway.doubt(SECOND);
    gateway.poll(2 * SECOND);
    let proof = submissions(&mut gateway).pop().expect("a proof");
    gateway.sink_outcome(2 * SECOND, proof.batch, Outcome::Fenced);
    assert_eq!((gateway.stats().online, gateway.stats().shards, gateway.stats().fenced), (0, 0, 1));
    gateway.poll(4 * SECOND);
    let requests: Vec<_> = gateway.take_sink_requests().collect();
    assert!(matches!(requests[..], [SinkRequest::Open { shard: 0, .. }]), "{requests:?}");
}
