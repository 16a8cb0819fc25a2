//! The reader of captures: the same packets from every format, and from nonsense an error with its place.

use proptest::prelude::*;

use super::allocation::most_bytes;
use super::files::{FORMATS, Format, Writer, Written, capture};
use super::reader::{BLOCK_BYTES_MAX, Capture, CaptureError, Fault, PACKET_BYTES_MAX, Part};

/// All the memory that a reader takes, whatever is in the file: a buffer that has grown to a block by doubling, and that
/// block's options, of which 4 bytes in the file are 32 here, in a list that has grown by doubling too.
const MEMORY_BYTES_MAX: usize = 16 * BLOCK_BYTES_MAX as usize;

const CLASSIC: Format = Format::Pcap { is_big_endian: false, is_nano: false };
const PCAPNG: Format = Format::Pcapng { is_big_endian: false };
/// 2012-06-29 07:28:25.298858 UTC.
const NOON: u64 = 1_340_954_905_298_858_000;

fn packets(count: u64) -> Vec<Written> {
    let packet = |n: u64| Written {
        nanos: NOON + n * 1_500_000,
        wire_bytes: 60 + (n as u32 % 3) * 1_000,
        frame: vec![n as u8; 60 - (n as usize % 5)],
    };
    (0..count).map(packet).collect()
}

/// All packets of a file, up to its end or to what is wrong with it.
fn read(bytes: &[u8]) -> (Vec<Written>, Option<CaptureError>) {
    let mut packets = Vec::new();
    let mut capture = match Capture::open(bytes) {
        Ok(capture) => capture,
        Err(error) => return (packets, Some(error)),
    };
    loop {
        match capture.next_packet() {
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error)),
            Ok(Some(packet)) => {
                assert_eq!(packet.index, packets.len() as u64 + 1);
                let (nanos, frame) = (packet.nanos.unwrap_or_default(), packet.frame.to_vec());
                packets.push(Written { nanos, wire_bytes: packet.wire_bytes, frame });
            }
        }
    }
}

fn refusal(bytes: &[u8]) -> String {
    read(bytes).1.expect("an error").to_string()
}

#[test]
fn every_format_gives_the_packets_that_were_written() {
    let written = packets(9);
    for format in FORMATS {
        let (read, error) = read(&capture(format, &written));
        assert!(error.is_none(), "{format:?}: {error:?}");
        assert_eq!(read, written, "{format:?}");
    }
}

#[test]
fn a_capture_without_packets_has_none_and_is_none_the_worse() {
    for format in FORMATS {
        assert!(matches!(read(&capture(format, &[])), (packets, None) if packets.is_empty()), "{format:?}");
    }
}

/// Code and value of each.
type Options<'a> = &'a [(u16, &'a [u8])];

#[test]
fn interfaces_tell_time_in_their_own_units() {
    let packet = &packets(1)[0];
    let hour_before = (-3_600_i64).to_le_bytes();
    // Options, units, and the nanoseconds that these are.
    let cases: [(Options<'_>, u64, u64); 5] = [
        (&[], 5_000_001, 5_000_001_000),
        (&[(9, &[0])], 5, 5_000_000_000),
        (&[(9, &[0x80 | 10])], 5 * 1_024 + 512, 5_500_000_000),
        (&[(14, &hour_before)], 3_601_000_000, 1_000_000_000),
        // What stands behind the end of the options is none.
        (&[(0, &[]), (9, &[9])], 5_000_001, 5_000_001_000),
    ];
    for (options, units, nanos) in cases {
        let mut writer = Writer::new(false);
        writer.section();
        writer.interface(1, 0, options);
        writer.enhanced(0, units, packet);
        let (read, error) = read(&writer.out);
        assert!(error.is_none(), "{options:?}: {error:?}");
        assert_eq!(read[0].nanos, nanos, "{options:?}");
    }
}

#[test]
fn a_simple_packet_is_as_long_as_its_interface_lets_it_be() {
    let mut writer = Writer::new(true);
    writer.section();
    writer.interface(1, 64, &[]);
    writer.simple(&Written { nanos: 0, wire_bytes: 1_500, frame: vec![7; 64] });
    writer.simple(&Written { nanos: 0, wire_bytes: 61, frame: vec![8; 61] });
    let lengths: Vec<_> =
        read(&writer.out).0.iter().map(|packet| (packet.frame.len(), packet.wire_bytes)).collect();
    assert_eq!(lengths, [(64, 1_500), (61, 61)]);
}

#[test]
fn a_file_that_ends_too_early_says_so_with_the_packet_and_the_place() {
    let written = packets(3);
    for format in FORMATS {
        let whole = capture(format, &written);
        for size in 0..whole.len() {
            let (read, error) = read(&whole[..size]);
            assert!(read.len() <= written.len() && read == written[..read.len()], "{format:?} {size}");
            let Some(CaptureError { offset, fault }) = error else {
                continue;
            };
            assert!(offset <= size as u64);
            let next = read.len() as u64 + 1;
            match fault {
                Fault::Empty => assert_eq!(size, 0),
                Fault::CutOff { part: Part::FileHeader, .. } => assert!(read.is_empty()),
                Fault::CutOff { part: Part::Packet(n) | Part::Block(n), found, wanted } => {
                    assert_eq!(n, next, "{format:?} {size}");
                    assert!(found < wanted.into());
                }
                other => panic!("{format:?} {size}: {other:?}"),
            }
        }
    }
    let cut = capture(CLASSIC, &written);
    let message = refusal(&cut[..cut.len() - 1]);
    assert!(
        message.starts_with("byte 175: packet 3 is cut off: 74 bytes of it are announced and 73"),
        "{message}"
    );
}

/// A file with these bytes at this place.
fn with(mut bytes: Vec<u8>, at: usize, new: &[u8]) -> Vec<u8> {
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let (pcap, pcapng) = (capture(CLASSIC, &packets(2)), capture(PCAPNG, &packets(2)));
    // A section header of 28 bytes, an interface of 24 and one of 40, then a packet of 92.
    let packet_at = 28 + 24 + 40;
    let cases = [
        (Vec::new(), "byte 0: the file is empty"),
        (b"hello, world".to_vec(), "byte 0: begins with [68, 65, 6c, 6c]: expected a pcap or pcapng file"),
        (vec![0x1f, 0x8b, 8, 0], "byte 0: compressed with gzip"),
        (with(pcap.clone(), 6, &[3]), "byte 0: format version 2.3"),
        (with(pcap.clone(), 20, &[113]), "byte 0: link type 113 is not Ethernet"),
        (
            with(pcap.clone(), 32, &[0xff; 4]),
            "byte 24: packet 1 claims 4294967295 bytes, and 262144 are the most",
        ),
        (with(pcap.clone(), 36, &[59]), "byte 24: packet 1 claims 60 bytes captured of 59"),
        (with(pcapng.clone(), 8, &[0]), "byte 0: the fields of a section header do not fit"),
        (with(pcapng.clone(), 12, &[2]), "byte 0: format version 2.0"),
        (with(pcapng.clone(), 4, &[27]), "byte 0: a block of 27 bytes"),
        (with(pcapng.clone(), 4, &[8]), "byte 0: a block of 8 bytes"),
        (with(pcapng.clone(), 24, &[32]), "byte 0: a block claims 28 bytes in front and 32 behind"),
        (with(pcapng.clone(), 36, &[113]), "byte 28: link type 113 is not Ethernet"),
        (with(pcapng.clone(), 80, &[20]), "byte 52: time in units of 0x14"),
        (with(pcapng.clone(), packet_at + 7, &[0x7f]), "byte 92: packet 1 claims 2130706524 bytes"),
        (with(pcapng.clone(), packet_at, &[2]), "byte 92: an obsolete Packet Block"),
        (with(pcapng.clone(), packet_at + 8, &[2]), "byte 92: a packet of interface 2, and 2 are described"),
        (
            with(pcapng.clone(), packet_at + 20, &[61]),
            "byte 92: the fields of a packet block do not fit in it",
        ),
        (with(pcapng.clone(), packet_at + 24, &[59]), "byte 92: packet 1 claims 60 bytes captured of 59"),
        (
            with(pcapng.clone(), packet_at, &[99, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
            "byte 92: a block of 4294967295 bytes",
        ),
        (
            with(pcapng, packet_at, &[99, 0, 0, 0, 0xfc, 0xff, 0xff, 0xff]),
            "byte 92: the block in front of packet 1 is cut off",
        ),
    ];
    for (bytes, expected) in cases {
        let message = refusal(&bytes);
        assert!(message.starts_with(expected), "expected {expected}, found {message}");
    }
}

/// The file that takes the most memory: a block as long as they come, full of options without a value.
#[test]
fn a_file_does_not_decide_how_much_memory_is_taken() {
    let mut writer = Writer::new(false);
    writer.section();
    let comments = vec![(1_u16, &[][..]); BLOCK_BYTES_MAX as usize / 4 - 6];
    writer.interface(1, 0, &comments);
    writer.enhanced(
        0,
        0,
        &Written { nanos: 0, wire_bytes: PACKET_BYTES_MAX, frame: vec![0; PACKET_BYTES_MAX as usize] },
    );
    let frames = |bytes: &[u8]| {
        let mut capture = Capture::open(bytes).expect("a capture");
        let mut frames = 0;
        while let Some(packet) = capture.next_packet().expect("a packet") {
            assert_eq!(packet.frame.len(), PACKET_BYTES_MAX as usize);
            frames += 1;
        }
        frames
    };
    let (frames, bytes) = most_bytes(|| frames(&writer.out));
    assert_eq!(frames, 1);
    assert!(bytes > BLOCK_BYTES_MAX as usize, "{bytes}");
    assert!(bytes <= MEMORY_BYTES_MAX, "{bytes}");
}

/// Reads to the end or to the first error: how many packets, and the most memory that it took.
fn drain(bytes: &[u8]) -> (usize, usize) {
    most_bytes(|| {
        let Ok(mut capture) = Capture::open(bytes) else {
            return 0;
        };
        let mut packets = 0;
        while let Ok(Some(packet)) = capture.next_packet() {
            assert!(packet.frame.len() <= packet.wire_bytes as usize);
            packets += 1;
        }
        packets
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_end_in_packets_or_in_an_error(
        format in 0..FORMATS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        words in prop::collection::vec((any::<prop::sample::Index>(), any::<u32>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = capture(FORMATS[format], &packets(6));
        for (at, to) in changes {
            let at = at.index(bytes.len());
            bytes[at] = to;
        }
        for (at, to) in words {
            let at = at.index(bytes.len() / 4) * 4;
            bytes[at..at + 4].copy_from_slice(&to.to_le_bytes());
        }
        bytes.truncate(cut.index(bytes.len() * 2));
        let (packets, memory) = drain(&bytes);
        prop_assert!(packets <= bytes.len() / 16);
        // The file is small: so is what it takes, whatever its numbers say.
        prop_assert!(memory < 64 * 1_024, "{memory}");
    }

    #[test]
    fn any_bytes_behind_a_header_end_in_packets_or_in_an_error(
        format in 0..FORMATS.len(),
        tail in prop::collection::vec(any::<u8>(), 0..2_000),
    ) {
        let mut bytes = capture(FORMATS[format], &[]);
        bytes.extend(tail);
        let (_, memory) = drain(&bytes);
        prop_assert!(memory < 64 * 1_024, "{memory}");
    }
}
