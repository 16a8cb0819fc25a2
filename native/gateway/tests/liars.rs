//! A device that says that it owes more than it can hold.

mod common;

use common::{SECOND, arrive, config, gateway, hello, sent};
use klais_burst_sync::{Admit, Frame};
use klais_dam::Limit;
use klais_gateway::Gateway;

const BUCKET: u64 = 200;

fn admit(gateway: &mut Gateway, device: u32, session: u16, backlog: u16) -> Admit {
    arrive(gateway, 0, device, &hello(session, 0, backlog));
    match sent(gateway).as_slice() {
        [(_, Frame::Admit(admit))] => *admit,
        other => panic!("expected one ADMIT, got {other:?}"),
    }
}

#[test]
fn reserves_what_it_could_send_at_once_and_no_more() {
    let mut config = config(4);
    config.dam.device = Some(Limit::per_period(BUCKET, 60 * 1_000 * SECOND, BUCKET));
    let mut gateway = gateway(&config);
    let liar = admit(&mut gateway, 1, 1, u16::MAX);
    assert!(u64::from(liar.credit) < 2 * BUCKET, "{}", liar.credit);
    let next = admit(&mut gateway, 2, 1, 100);
    // The sink takes 1,000 readings a second.
    assert!(u64::from(next.backfill_delay_millis) <= BUCKET, "{}", next.backfill_delay_millis);
}
