//! Any bytes at all: no panic, no more memory than the limits say, counted, and nothing that matters is changed.

mod common;

use common::{DEVICES, LAN, MILLI, Net, SECOND, address, cluster_keys, roster, signing_seed};
use klais_swarm::{
    Change, DATAGRAM_BYTES_MAX, Identity, Observation, Peer, REFUSALS, Refusal, Roster, Subject, Swarm,
    SwarmConfig, SwarmError,
};
use proptest::prelude::*;
use siphasher::sip128::SipHasher24;

const KEY: &[u8; 16] = b"a cluster's key.";

/// Whole datagrams that gateway 1 of three sends to gateway 0, and a gateway 0 that waits for them.
fn caught() -> (Net, Vec<Vec<u8>>) {
    let mut net = Net::new(3, 1, LAN);
    net.converge(10 * SECOND);
    for device in 0..200 {
        let now = net.now;
        net.node(1).accuse(now, Subject::Device(device));
    }
    let mut caught = Vec::new();
    for step in 1..15 {
        let now = net.now + step * 20 * MILLI;
        net.node(1).poll(now);
        let datagrams = net.node(1).take_datagrams();
        caught.extend(datagrams.into_iter().filter(|d| d.to == address(0)).map(|d| d.bytes));
    }
    assert!(caught.iter().any(|bytes| bytes.len() > 600), "some carry reports");
    (net, caught)
}

/// The MAC of an insider.
fn signed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(DATAGRAM_BYTES_MAX - 16);
    let length = (bytes.len() + 16) as u16;
    if let Some(place) = bytes.get_mut(2..4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
    let mac = SipHasher24::new_with_key(KEY).hash(&bytes).as_bytes();
    bytes.extend_from_slice(&mac);
    bytes
}

fn sum(swarm: &Swarm) -> u64 {
    let counters = swarm.counters();
    counters.received + counters.refused.iter().sum::<u64>()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn strangers_change_nothing(bytes in prop::collection::vec(any::<u8>(), 0..1_600), from in 0_usize..4) {
        let mut net = Net::new(3, 1, LAN);
        let before = (sum(net.node(0)), net.node(0).counters().received);
        let now = net.now;
        prop_assert!(net.node(0).handle(now, address(from), &bytes).is_err());
        prop_assert_eq!((sum(net.node(0)), net.node(0).counters().received), (before.0 + 1, before.1));
        prop_assert!(net.node(0).take_events().is_empty() && net.node(0).take_actions().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    /// What is altered on its way is refused, whatever was altered.
    #[test]
    fn an_altered_datagram_is_refused(pick in any::<usize>(), at in any::<usize>(), flip in 1_u8..) {
        let (mut net, caught) = caught();
        let mut bytes = caught[pick % caught.len()].clone();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        let now = net.now;
        prop_assert!(net.node(0).handle(now, address(1), &bytes).is_err());
    }

    /// One who has the cluster's key, and sends what he likes under it: parts of real datagrams, altered, cut, put together.
    #[test]
    fn an_insider_breaks_nothing(
        edits in prop::collection::vec(
            (any::<usize>(), any::<usize>(), any::<u8>(), 0_usize..3, any::<usize>()), 1..200),
    ) {
        let (mut net, caught) = caught();
        let mut now = net.now;
        for (n, (pick, at, byte, kind, other)) in edits.into_iter().enumerate() {
            let mut bytes = caught[pick % caught.len()].clone();
            bytes.truncate(bytes.len() - 16);
            match kind {
                0 => { let at = at % bytes.len(); bytes[at] = byte; }
                1 => bytes.truncate(at % (bytes.len() + 1)),
                _ => {
                    let tail = &caught[other % caught.len()];
                    bytes.truncate(at % (bytes.len() + 1));
                    bytes.extend_from_slice(&tail[other % tail.len()..]);
                }
            }
            // New, so that it is looked at.
            if let Some(place) = bytes.get_mut(24..32) {
                place.copy_from_slice(&(1_000_000 + n as u64).to_be_bytes());
            }
            let _ = net.node(0).handle(now, address(1), &signed(bytes));
            now += 10 * MILLI;
            net.node(0).poll(now);
            prop_assert!(net.node(0).next_deadline() > now);
        }
        for action in net.node(0).take_actions() {
            prop_assert!(false, "one gateway alone: {action:?}");
        }
        let (_, accused, reports) = net.node(0).threat_gauges();
        prop_assert!(accused <= 200 && reports <= 3);
        for datagram in net.node(0).take_datagrams() {
            prop_assert!(datagram.bytes.len() <= DATAGRAM_BYTES_MAX);
        }
    }

    /// Any observations, in any order, at any times.
    #[test]
    fn any_observation_is_fine(
        seen in prop::collection::vec((any::<u32>(), any::<u32>(), 0_u8..7, any::<u128>(), any::<u64>()), 1..500),
    ) {
        let mut net = Net::new(3, 1, LAN);
        let mut now = net.now;
        for (device, readings, kind, address, wait) in seen {
            let source = std::net::IpAddr::from(std::net::Ipv6Addr::from(address));
            let device = if kind % 2 == 0 { device } else { device % DEVICES };
            let observation = match kind {
                0 => Observation::Hello { device, source },
                1 => Observation::Live { device, source, readings },
                2 => Observation::Owed { device, source },
                3 => Observation::Idle { device },
                4 => Observation::BadCookie { device },
                5 => Observation::Forged { source },
                _ => Observation::Copy { source, frame: u64::from(readings) },
            };
            net.node(0).observe(now, observation);
            now = now.saturating_add(wait >> (10 + readings % 54));
            net.node(0).poll(now);
        }
    }
}

#[test]
fn a_datagram_is_taken_once() {
    let (mut net, caught) = caught();
    let now = net.now;
    for bytes in &caught {
        assert_eq!(net.node(0).handle(now, address(1), bytes), Ok(()));
        assert_eq!(net.node(0).handle(now, address(1), bytes), Err(Refusal::Replayed));
    }
    assert_eq!(net.node(0).threat_gauges().1, 200, "what it reported is known");
    // To a gateway that has started again they say no more than what was signed.
    net.kill(0);
    net.start(0);
    for bytes in &caught {
        let _ = net.node(0).handle(now, address(1), bytes);
    }
    assert_eq!(net.member(0, 1).load, None);
}

#[test]
fn refusals_are_told_apart() {
    let (mut net, caught) = caught();
    let now = net.now;
    let good = &caught[0];
    let altered = |at: usize, byte: u8| {
        let mut bytes = good[..good.len() - 16].to_vec();
        bytes[at] = byte;
        signed(bytes)
    };
    let mut wrong_mac = good.clone();
    *wrong_mac.last_mut().expect("a byte") ^= 1;
    let cases = [
        (Refusal::Truncated, 1, good[..70].to_vec()),
        (Refusal::Version, 1, altered(0, 2)),
        (Refusal::Length, 1, [&good[..], &[0]].concat()),
        (Refusal::Sender, 1, altered(5, 9)),
        (Refusal::Sender, 0, altered(5, 0)),
        (Refusal::Address, 2, good.clone()),
        (Refusal::KeyEpoch, 1, altered(1, 9)),
        (Refusal::Mac, 1, wrong_mac),
        (Refusal::Field, 1, altered(35, 1)),
        (Refusal::Misdirected, 1, altered(7, 2)),
    ];
    for (refusal, from, bytes) in cases {
        let before = net.node(0).counters().refused;
        assert_eq!(net.node(0).handle(now, address(from), &bytes), Err(refusal));
        let after = net.node(0).counters().refused;
        assert_eq!(after[refusal as usize], before[refusal as usize] + 1, "{}", REFUSALS[refusal as usize]);
    }
    assert_eq!(net.node(0).handle(now, address(1), good), Ok(()));
}

#[test]
fn keys_rotate_without_a_gap() {
    let mut net = Net::new(3, 1, LAN);
    net.converge(10 * SECOND);
    for gateway in 0..3 {
        net.node(gateway).rotate_cluster_key([gateway as u8 / 3; 16], 2);
        net.run_for(100 * MILLI);
    }
    net.run_for(10 * SECOND);
    assert!(net.events.iter().all(|(_, event)| event.change != Change::Down));
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let identity = Identity { gateway: 1, incarnation: 1 };
    let config = || SwarmConfig::new(roster(3), cluster_keys(), signing_seed(1), DEVICES);
    let refused = |config, identity| Swarm::new(config, identity, 1, 0).err();
    assert_eq!(refused(config(), identity), None);
    let stranger = Identity { gateway: 3, ..identity };
    assert_eq!(refused(config(), stranger), Some(SwarmError::NotInRoster { gateway: 3 }));
    let other = Identity { gateway: 2, ..identity };
    assert_eq!(refused(config(), other), Some(SwarmError::WrongSeed { gateway: 2 }));
    let mut bad = config();
    bad.threats.quorum = 1;
    assert_eq!(refused(bad, identity), Some(SwarmError::Quorum));
    let mut bad = config();
    bad.timing.probe_rtt_micros = bad.timing.probe_period_micros;
    assert_eq!(refused(bad, identity), Some(SwarmError::ProbePeriod));
    let mut bad = config();
    bad.fanout = 0;
    assert_eq!(refused(bad, identity), Some(SwarmError::Zero { setting: "fanout" }));
    let peer = Peer { gateway: 1, gossip: address(1), data: address(1), key: signing_seed(1).public_key() };
    assert_eq!(Roster::new(&[peer, peer]).err(), Some(SwarmError::Twice { gateway: 1 }));
    assert_eq!(Roster::new(&[]).err(), Some(SwarmError::RosterSize { gateways: 0 }));
    let weak = Peer { key: [0; 32], ..peer };
    assert_eq!(Roster::new(&[weak]).err(), Some(SwarmError::Key { gateway: 1 }));
}

#[test]
fn secrets_are_not_printed() {
    let config = SwarmConfig::new(roster(3), cluster_keys(), signing_seed(1), DEVICES);
    let text = format!("{:?} {:?}", config.cluster_keys, config.signing_seed);
    assert!(!text.contains("97") && !text.contains('7'), "{text}");
}
