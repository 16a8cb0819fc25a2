//! The filter on a real interface: where it can be attached, where not and why, and what packets meet.

mod common;
#[path = "common/network.rs"]
mod network;

use common::{FIRST_READING, MASTER, PORT, bytes};
use klais_burst_sync::wire::{MasterKeys, open};
use klais_burst_sync::{Frame, Hello};
use klais_dam::{Dam, DamConfig, Limit, SessionMode};
use klais_xdp::{AttachMode, Attachment, Filter, FilterConfig, Key, LinkState, Prefix, XdpError};
use network::{DEVICE, DEVICE_LINK, GATEWAY, GATEWAY_LINK, GATEWAY_V6, Network};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

const MODES: [AttachMode; 2] = [AttachMode::Native, AttachMode::Generic];

/// One session a second, and what comes above it deferred.
fn config() -> DamConfig {
    DamConfig {
        sessions: Some(Limit::per_second(1, 1)),
        session_mode: SessionMode::Slots,
        cookie_key: *b"a key of the dam",
        ..DamConfig::open(100)
    }
}

fn load(origin_nanos: u64) -> (Filter, Dam) {
    let filter = Filter::load(&FilterConfig {
        dam: config(),
        slots: true,
        port: PORT,
        gateway: 0,
        master: Key { key: MASTER, epoch: 3 },
        origin_nanos,
        scale: 1,
        test: false,
    })
    .expect("a filter: these tests need root");
    let dam = Dam::over(config(), filter.tables()).expect("a dam over the kernel's memory");
    (filter, dam)
}

fn packets(filter: &Filter, name: &str) -> u64 {
    let counters = filter.counters().expect("counters");
    counters.iter().find(|(counter, _)| *counter == name).expect(name).1.packets
}

/// A socket at an address of its own, that talks to the gateway's port.
fn device(network: &Network, from: &str, gateway: &str) -> UdpSocket {
    let addresses: [IpAddr; 2] = [from, gateway].map(|text| text.parse().expect("an address"));
    network.at_devices(|| {
        let socket = UdpSocket::bind(SocketAddr::new(addresses[0], 0)).expect("a socket");
        socket.connect(SocketAddr::new(addresses[1], PORT)).expect("an address");
        socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        socket
    })
}

fn receiver(network: &Network, address: &str) -> UdpSocket {
    let address: IpAddr = address.parse().expect("an address");
    let socket = network.at_gateway(|| UdpSocket::bind(SocketAddr::new(address, PORT)).expect("a socket"));
    socket.set_read_timeout(Some(Duration::from_millis(500))).expect("a timeout");
    socket
}

fn hello(device: u32, session: u16, keys: &MasterKeys, epoch: u8) -> Vec<u8> {
    let frame =
        Frame::Hello(Hello { session, epoch: 0, backlog: 9, cookie: None, acked: (0, 0), gateway: 0 });
    bytes(&frame, device, keys, epoch, &[])
}

fn reading(device: u32, keys: &MasterKeys) -> Vec<u8> {
    let frame = Frame::Data(FIRST_READING);
    bytes(&frame, device, keys, 3, &[7])
}

/// The payload of the next datagram, or nothing within half a second.
fn next(socket: &UdpSocket) -> Option<Vec<u8>> {
    let mut bytes = [0; 2_048];
    socket.recv(&mut bytes).ok().map(|length| bytes[..length].to_vec())
}

#[test]
#[ignore = "needs root and Linux"]
fn over_a_cable_the_second_hello_is_answered_by_the_kernel() {
    for mode in MODES {
        for (from, gateway) in [(DEVICE, GATEWAY), ("fd77::2", GATEWAY_V6)] {
            let network = Network::new();
            let (filter, _dam) = load(0);
            let attachment = network.at_gateway(|| filter.attach(GATEWAY_LINK, mode)).expect("attached");
            assert_eq!((attachment.mode(), attachment.interface()), (mode, GATEWAY_LINK));
            assert!(network.has_program());
            let (stack, device) = (receiver(&network, gateway), device(&network, from, gateway));
            let keys = MasterKeys::new(MASTER, 3);
            device.send(&hello(1, 1, &keys, 3)).expect("sent");
            assert_eq!(next(&stack), Some(hello(1, 1, &keys, 3)), "{mode:?} {gateway}");
            device.send(&hello(2, 1, &keys, 3)).expect("sent");
            let answer = next(&device).expect("an answer");
            let answer = open(&answer, &keys).expect("a signed frame");
            assert!(matches!(answer.frame, Frame::Defer(defer) if (1..=1_000).contains(&defer.delay_millis)));
            assert_eq!(next(&stack), None);
            assert_eq!((packets(&filter, "pass-hello"), packets(&filter, "defer")), (1, 1));
            assert_eq!(attachment.state().expect("a state"), LinkState::Attached);
        }
    }
}

#[test]
#[ignore = "needs root and Linux"]
fn dropped_it_is_off_and_everything_passes() {
    let network = Network::new();
    let (filter, _dam) = load(0);
    let (stack, device) = (receiver(&network, GATEWAY), device(&network, DEVICE, GATEWAY));
    let attachment =
        network.at_gateway(|| filter.attach(GATEWAY_LINK, AttachMode::Native)).expect("attached");
    device.send(b"no frame at all").expect("sent");
    assert_eq!(next(&stack), None);
    drop(attachment);
    assert!(!network.has_program());
    device.send(b"no frame at all").expect("sent");
    assert_eq!(next(&stack).as_deref(), Some(&b"no frame at all"[..]));
    let again = network.at_gateway(|| filter.attach(GATEWAY_LINK, AttachMode::Native));
    assert_eq!(again.expect("attached again").state().expect("a state"), LinkState::Attached);
}

#[test]
#[ignore = "needs root and Linux"]
fn what_cannot_be_attached_says_why_and_what_to_do() {
    let network = Network::new();
    let (filter, _dam) = load(0);
    let (other, _other_dam) = load(0);
    let attach =
        |filter: &Filter, interface: &str, mode| network.at_gateway(|| filter.attach(interface, mode));
    let first = attach(&filter, GATEWAY_LINK, AttachMode::Native).expect("attached");
    for mode in MODES {
        let error = attach(&other, GATEWAY_LINK, mode).expect_err("refused");
        assert!(matches!(&error, XdpError::Busy { interface } if interface == GATEWAY_LINK), "{error:?}");
        assert!(error.to_string().contains("klais-gatewayd"), "{error}");
    }
    assert_eq!(first.state().expect("a state"), LinkState::Attached);
    drop(first);
    let error = network.at_devices(|| klais_xdp::let_pass(DEVICE_LINK)).expect_err("there is one already");
    assert!(matches!(error, XdpError::Busy { .. }), "{error:?}");
    for name in ["kl-no-such", "", "a name that is much too long for an interface", "nul\0"] {
        let error = attach(&filter, name, AttachMode::Native).expect_err("refused");
        assert!(matches!(error, XdpError::NoInterface { .. }), "{name}: {error:?}");
    }
    let error = attach(&filter, "lo", AttachMode::Native).expect_err("refused");
    assert!(matches!(error, XdpError::NoNativeSupport { .. }) && error.is_of_the_driver(), "{error:?}");
    let _generic = attach(&filter, "lo", AttachMode::Generic).expect("attached");
    network.take_jumbo();
    let error = attach(&filter, GATEWAY_LINK, AttachMode::Native).expect_err("refused");
    assert!(matches!(error, XdpError::Mtu { mtu: Some(9_000), .. }), "{error:?}");
    assert!(error.to_string().contains("mtu 1500"), "{error}");
    let plain = attach(&filter, GATEWAY_LINK, AttachMode::Generic).expect("attached");
    assert_eq!(plain.mode(), AttachMode::Generic);
}

#[test]
#[ignore = "needs root and Linux"]
fn an_interface_that_goes_is_noticed_and_so_is_a_hand_that_detaches() {
    let network = Network::new();
    let (filter, _dam) = load(0);
    let attachment = network.at_gateway(|| {
        let attachment = filter.attach(GATEWAY_LINK, AttachMode::Native).expect("attached");
        detach(&attachment);
        assert_eq!(attachment.state().expect("a state"), LinkState::Detached);
        drop(attachment);
        filter.attach(GATEWAY_LINK, AttachMode::Native).expect("attached again")
    });
    network.ip_at_devices(&["link", "del", "dev", DEVICE_LINK]);
    let state = network.at_gateway(|| attachment.state()).expect("a state");
    assert_eq!(state, LinkState::InterfaceGone);
    network.cable();
    let state = network.at_gateway(|| attachment.state()).expect("a state");
    assert_eq!(state, LinkState::InterfaceGone, "another one of the same name");
}

/// As `bpftool link detach` does.
#[allow(unsafe_code)]
fn detach(attachment: &Attachment) {
    // SAFETY: a descriptor that is open for as long as it is lent.
    let done = unsafe { libbpf_rs::libbpf_sys::bpf_link_detach(attachment.as_fd().as_raw_fd()) };
    assert_eq!(done, 0, "it can be detached");
}

#[test]
#[ignore = "needs root and Linux"]
fn what_comes_from_a_blocked_range_is_dropped_until_it_is_not() {
    let network = Network::new();
    let (mut filter, _dam) = load(0);
    let _attachment =
        network.at_gateway(|| filter.attach(GATEWAY_LINK, AttachMode::Native)).expect("attached");
    let (stack, keys) = (receiver(&network, GATEWAY), MasterKeys::new(MASTER, 3));
    let devices = [DEVICE, "10.81.0.1"].map(|from| device(&network, from, GATEWAY));
    let passed = |stack: &UdpSocket| {
        [0, 1].map(|n| {
            devices[n].send(&reading(n as u32, &keys)).expect("sent");
            next(stack).is_some()
        })
    };
    let range =
        |address: &str, bits| Prefix::new(address.parse().expect("an address"), bits).expect("a range");
    assert_eq!(passed(&stack), [true, true]);
    assert!(filter.block_prefix(range("10.80.0.0", 16)).expect("blocked"));
    assert!(!filter.block_prefix(range("10.80.7.7", 16)).expect("blocked"), "the same one");
    assert_eq!(passed(&stack), [false, true]);
    assert!(filter.block_prefix(range("::", 0)).expect("blocked"));
    assert_eq!(passed(&stack), [false, false]);
    assert!(filter.unblock_prefix(range("10.80.0.0", 16)).expect("unblocked"));
    assert_eq!(passed(&stack), [false, false], "still within ::/0");
    assert!(filter.unblock_prefix(range("::", 0)).expect("unblocked"));
    assert!(!filter.unblock_prefix(range("::", 0)).expect("unblocked"), "there is none");
    assert_eq!(passed(&stack), [true, true]);
    assert_eq!(packets(&filter, "prefix"), 5);
}

#[test]
#[ignore = "needs root and Linux"]
fn a_full_trie_says_so_and_keeps_what_it_has() {
    let (mut filter, _dam) = load(0);
    let range = |n: u32| Prefix::new(Ipv4Addr::from_bits(n << 8).into(), 24).expect("a range");
    for n in 0..65_536 {
        assert!(filter.block_prefix(range(n)).expect("room"));
    }
    let error = filter.block_prefix(range(65_536)).expect_err("full");
    assert!(matches!(error, XdpError::PrefixesFull { most: 65_536 }), "{error:?}");
    assert!(!filter.block_prefix(range(7)).expect("blocked already"));
    assert!(filter.unblock_prefix(range(7)).expect("unblocked"));
    assert!(filter.block_prefix(range(65_536)).expect("room again"));
}

#[test]
#[ignore = "needs root and Linux"]
fn what_is_sent_to_an_address_of_somebody_else_passes() {
    let network = Network::new();
    let (mut filter, _dam) = load(0);
    let ours = |text: &str| -> IpAddr { text.parse().expect("an address") };
    filter.set_addresses(&[ours("10.77.0.9"), ours(GATEWAY_V6)]).expect("set");
    let _attachment =
        network.at_gateway(|| filter.attach(GATEWAY_LINK, AttachMode::Native)).expect("attached");
    let stacks = [receiver(&network, GATEWAY), receiver(&network, GATEWAY_V6)];
    let devices = [device(&network, DEVICE, GATEWAY), device(&network, "fd77::2", GATEWAY_V6)];
    let passed = || {
        [0, 1].map(|n: usize| {
            devices[n].send(b"no frame at all").expect("sent");
            next(&stacks[n]).is_some()
        })
    };
    assert_eq!(passed(), [true, false]);
    filter.set_addresses(&[ours(GATEWAY)]).expect("set");
    assert_eq!(passed(), [false, true]);
    filter.set_addresses(&[]).expect("set");
    assert_eq!(passed(), [false, false]);
    let error = filter.set_addresses(&[ours(GATEWAY); 9]).expect_err("too many");
    assert!(matches!(error, XdpError::TooManyAddresses { most: 8 }), "{error:?}");
}

/// A clock whose zero is still to come, and one that is long past.
#[test]
#[ignore = "needs root and Linux"]
fn before_its_origin_time_stands_still_at_zero() {
    let network = Network::new();
    let (filter, dam) = load(u64::MAX);
    let _attachment =
        network.at_gateway(|| filter.attach(GATEWAY_LINK, AttachMode::Native)).expect("attached");
    let (_stack, device) = (receiver(&network, GATEWAY), device(&network, DEVICE, GATEWAY));
    let keys = MasterKeys::new(MASTER, 3);
    let delays = [1, 2, 3, 4].map(|id| {
        device.send(&hello(id, 1, &keys, 3)).expect("sent");
        if id == 1 {
            return 0;
        }
        // Real time passes, virtual time does not.
        match open(&next(&device).expect("an answer"), &keys).expect("a signed frame").frame {
            Frame::Defer(defer) => defer.delay_millis,
            other => panic!("not deferred: {other:?}"),
        }
    });
    assert_eq!(delays, [0, 1_000, 2_000, 3_000]);
    // The next one would be told so.
    assert_eq!(dam.session_queue_nanos(0), 4_000_000_000);
}
