//! Rates that change while the gateway runs.

mod common;

use common::{SECOND, arrive, config, gateway, hello};
use klais_burst_sync::Frame;
use klais_dam::{DamError, Layer, Limit};
use klais_gateway::{Admission, GatewayError, GatewaySettings, Ingress};

/// Seconds that the last of a thousand newcomers at `now` is told to wait.
fn last_wait_seconds(gateway: &mut klais_gateway::Gateway, now: u64, first: u32) -> u32 {
    for n in 0..999 {
        arrive(gateway, now, first + n, &hello(1, 0, 0));
    }
    match arrive(gateway, now, first + 999, &hello(1, 0, 0)) {
        Ingress::Answer(Frame::Defer(defer)) => defer.delay_millis / 1_000,
        other => panic!("not deferred but {other:?}"),
    }
}

#[test]
fn sessions_follow_the_rate_from_the_moment_it_changes() {
    let mut config = config(3_000);
    config.dam.sessions = Some(Limit::per_second(100, 10));
    let mut gateway = gateway(&config);
    assert_eq!(last_wait_seconds(&mut gateway, SECOND, 0), 9);
    gateway.set_sessions(10).unwrap();
    let hour = 3_600 * SECOND;
    assert_eq!(last_wait_seconds(&mut gateway, hour, 1_000), 99);
    assert_eq!(gateway.set_sessions(0), Err(GatewayError::Dam(DamError::ZeroRate)));
    assert_eq!(last_wait_seconds(&mut gateway, 2 * hour, 2_000), 99);
}

#[test]
fn a_promised_slot_outlives_a_change_of_rate() {
    let mut config = config(2);
    config.dam.sessions = Some(Limit::per_second(1, 1));
    let mut gateway = gateway(&config);
    assert_eq!(arrive(&mut gateway, 0, 0, &hello(1, 0, 0)), Ingress::Accept);
    let Ingress::Answer(Frame::Defer(defer)) = arrive(&mut gateway, 0, 1, &hello(1, 0, 0)) else {
        panic!("not deferred");
    };
    let events = Limit::per_period(1, 3_600_000_000_000, 1);
    gateway.dam().set_limit(Layer::Sessions, events).unwrap();
    let due = u64::from(defer.delay_millis) * 1_000;
    assert_eq!(arrive(&mut gateway, due, 1, &hello(2, 0, 0)), Ingress::Accept);
}

#[test]
fn capacity_moves_the_buckets_with_it_and_none_at_all_is_refused() {
    let mut gateway = gateway(&config(1));
    assert_eq!(gateway.set_capacity(0), Err(GatewayError::Zero("capacity_per_second")));
    assert!(matches!(gateway.set_capacity(u64::MAX), Err(GatewayError::Dam(_))));
    gateway.set_capacity(5_000).unwrap();
    // Twice a second's worth at once, as before.
    let live = common::data(1, klais_burst_sync::Lane::Live, 0, 0, 10_000);
    gateway.assume_online(0);
    assert_eq!(arrive(&mut gateway, SECOND, 0, &live), Ingress::Accept);
    let more = common::data(1, klais_burst_sync::Lane::Live, 10_000, 10_000, 11_000);
    assert!(matches!(arrive(&mut gateway, SECOND, 0, &more), Ingress::Drop(_)));
}

#[test]
fn settings_refuse_what_makes_no_gateway() {
    let settings = GatewaySettings {
        devices: 10,
        gateways: 1,
        shards: 1,
        dam_by_shard: false,
        assume_online: false,
        addresses: Vec::new(),
        cookie_key: [7; 16],
        admission: Admission::Slots,
        deduplicate: true,
        controller: klais_gateway::ControllerConfig::Fixed,
        capacity_per_second: 1_000,
        sessions_per_second: 10,
        slot_window_micros: SECOND,
        overbook_permille: 1_000,
        sink_queue_readings: 1_000,
        undecided_frames_max: 1_000,
        backfill_queue_readings: 1_000,
        commit_interval_micros: 1_000,
        batch_readings_max: 100,
        batches_in_flight_max: 1,
        buffer_readings: 100,
        frame_readings: 10,
    };
    assert!(settings.to_config(0).is_ok());
    let in_flight = GatewaySettings { batches_in_flight_max: 2, ..settings.clone() };
    assert_eq!(in_flight.to_config(0).unwrap_err(), GatewayError::InFlight);
    let none = GatewaySettings { batch_readings_max: 0, ..settings.clone() };
    assert_eq!(none.to_config(0).unwrap_err(), GatewayError::Zero("batch_readings_max"));
    assert_eq!(settings.to_config(1).unwrap_err(), GatewayError::Number);
}
