//! Packets, chance and set-ups for the tests of the program.
#![allow(dead_code, reason = "each test file uses its part")]

use klais_burst_sync::wire::{MasterKeys, encode};
use klais_burst_sync::{Data, Frame, Lane};
use klais_dam::{Dam, DamConfig};
use klais_units::{draw, scale};
use klais_xdp::{Filter, FilterConfig, Key};

pub const PORT: u16 = 7_447;
pub const MASTER: [u8; 16] = *b"a master secret.";
/// A live frame of one reading, a device's first.
pub const FIRST_READING: Data = Data {
    session: 1,
    lane: Lane::Live,
    prev: 0,
    first: 0,
    count: 1,
    stride: 1,
    due_millis: 0,
    gap: false,
    round: 0,
    term: klais_burst_sync::TermEcho::new(0),
};

/// Draws, one after another, from a seed.
pub struct Dice {
    pub seed: u64,
    pub count: u64,
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    pub fn any(&mut self) -> u64 {
        self.count += 1;
        draw(self.seed, self.count, 0, 7)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        scale(self.any(), bound)
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

/// How a frame travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Ipv4,
    Ipv4Options,
    Ipv6,
    Vlan,
    DoubleVlan,
}

pub const FRAMINGS: [Framing; 5] =
    [Framing::Ipv4, Framing::Ipv4Options, Framing::Ipv6, Framing::Vlan, Framing::DoubleVlan];

/// Length of what comes before the UDP payload.
pub fn header_bytes(framing: Framing) -> usize {
    match framing {
        Framing::Ipv4 => 42,
        Framing::Ipv4Options | Framing::Vlan => 46,
        Framing::DoubleVlan => 50,
        Framing::Ipv6 => 62,
    }
}

fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w.get(1).copied().unwrap_or(0)));
    words.sum()
}

pub fn fold(mut sum: u32) -> u16 {
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// A frame from a device to the gateway, on the wire.
pub fn packet(framing: Framing, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    match framing {
        Framing::Vlan => out.extend([0x81, 0x00, 0x00, 0x05]),
        Framing::DoubleVlan => out.extend([0x88, 0xa8, 0x00, 0x07, 0x81, 0x00, 0x00, 0x05]),
        _ => {}
    }
    let length = (8 + payload.len()) as u16;
    if framing == Framing::Ipv6 {
        out.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        out.extend(length.to_be_bytes());
        out.extend([17, 64]);
        out.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
        out.extend([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    } else {
        out.extend([0x08, 0x00]);
        let options: &[u8] = if framing == Framing::Ipv4Options { &[1, 1, 1, 0] } else { &[] };
        let head = 20 + options.len();
        let mut ip = vec![0x40 | (head / 4) as u8, 0];
        ip.extend((head as u16 + length).to_be_bytes());
        ip.extend([0, 9, 0x40, 0, 61, 17, 0, 0, 10, 80, 3, 4, 10, 77, 0, 1]);
        ip.extend(options);
        let check = !fold(sum(&ip));
        ip[10..12].copy_from_slice(&check.to_be_bytes());
        out.extend(ip);
    }
    out.extend(40_000_u16.to_be_bytes());
    out.extend(PORT.to_be_bytes());
    out.extend(length.to_be_bytes());
    out.extend([0, 0]);
    out.extend(payload);
    out
}

/// The payload of an answer, once everything around it has been found right: turned round, lengths, checksums.
pub fn answer_payload(framing: Framing, request: &[u8], answer: &[u8]) -> Vec<u8> {
    assert_eq!((&answer[..6], &answer[6..12]), (&request[6..12], &request[..6]), "Ethernet addresses");
    let tags = match framing {
        Framing::Vlan => 4,
        Framing::DoubleVlan => 8,
        _ => 0,
    };
    assert_eq!(answer[12..14 + tags], request[12..14 + tags], "tags");
    assert!(answer.len() <= request.len(), "an amplifier");
    let (ip, asked) = (&answer[14 + tags..], &request[14 + tags..]);
    let (udp, pseudo) = if framing == Framing::Ipv6 {
        assert_eq!((ip[0] >> 4, ip[6]), (6, 17));
        assert_eq!((&ip[8..24], &ip[24..40]), (&asked[24..40], &asked[8..24]), "IPv6 addresses");
        assert_eq!(usize::from(u16::from_be_bytes([ip[4], ip[5]])), ip.len() - 40);
        (&ip[40..], sum(&ip[8..40]))
    } else {
        assert_eq!((ip[0], ip[9]), (0x45, 17));
        assert_eq!((&ip[12..16], &ip[16..20]), (&asked[16..20], &asked[12..16]), "IPv4 addresses");
        assert_eq!(usize::from(u16::from_be_bytes([ip[2], ip[3]])), ip.len());
        assert_eq!(fold(sum(&ip[..20])), 0xffff, "IPv4 checksum");
        (&ip[20..], sum(&ip[12..20]))
    };
    let length = u16::from_be_bytes([udp[4], udp[5]]);
    assert_eq!(usize::from(length), udp.len());
    assert_eq!((&udp[..2], &udp[2..4]), (&PORT.to_be_bytes()[..], &40_000_u16.to_be_bytes()[..]), "ports");
    assert_eq!(fold(pseudo + 17 + u32::from(length) + sum(udp)), 0xffff, "UDP checksum");
    udp[8..].to_vec()
}

/// The filter in the kernel, and a dam over its memory.
pub fn kernel(config: &DamConfig, slots: bool) -> (Filter, Dam) {
    let filter = Filter::load(&FilterConfig {
        dam: config.clone(),
        slots,
        port: PORT,
        gateway: 0,
        master: Key { key: MASTER, epoch: 3 },
        origin_nanos: 0,
        scale: 1,
        test: true,
    })
    .expect("a filter: these tests need root");
    let dam = Dam::over(config.clone(), filter.tables()).expect("a dam over the kernel's memory");
    (filter, dam)
}

/// A frame as bytes, signed under the key of `epoch`.
pub fn bytes(frame: &Frame, device: u32, keys: &MasterKeys, epoch: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = [0; 1_400];
    let key = keys.device_key(device, epoch).expect("a key");
    let size = encode(frame, device, epoch, &key, payload, &mut out).expect("a frame that fits");
    out[..size].to_vec()
}
