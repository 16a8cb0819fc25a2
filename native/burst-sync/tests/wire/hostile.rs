//! Bytes that no device wrote.
//!
//! Property tests over bytes and not a fuzzer: they need no nightly compiler, run with every `cargo test`, and start
//! from signed frames, which a fuzzer would not find.

use crate::frames::{DEVICE, EPOCH, MASTER, any_frame, bytes_of, device_key, keys, one_of_each, sign};
use klais_burst_sync::wire::{FrameType, MasterKeys, WireError, open, parse};
use proptest::prelude::*;

/// Opens what was changed and signed again.
fn verdict(mut bytes: Vec<u8>, change: impl FnOnce(&mut Vec<u8>)) -> Option<WireError> {
    change(&mut bytes);
    sign(&mut bytes, &device_key(DEVICE));
    open(&bytes, &keys()).err()
}

fn samples() -> impl Iterator<Item = (FrameType, Vec<u8>)> {
    FrameType::ALL.into_iter().zip(one_of_each()).map(|(kind, frame)| (kind, bytes_of(&frame, DEVICE, &[])))
}

/// A DATA of 3 readings of 4 bytes.
fn data_bytes() -> Vec<u8> {
    let frame = one_of_each().into_iter().find_map(|frame| match frame {
        klais_burst_sync::Frame::Data(data) => Some(klais_burst_sync::Data { count: 3, ..data }),
        _ => None,
    });
    bytes_of(&klais_burst_sync::Frame::Data(frame.unwrap()), DEVICE, &[5; 12])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_bytes_are_taken_for_a_frame(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        let refused = open(&bytes, &keys());
        prop_assert!(refused.is_err());
        prop_assert_eq!(bytes.len() < 28, refused == Err(WireError::Truncated));
    }

    /// With a right beginning, so that what comes after it is read at all.
    #[test]
    fn no_body_is_taken_for_one(kind in 1u8..9, mut bytes in prop::collection::vec(any::<u8>(), 28..1_450)) {
        let length = (bytes.len() as u16).to_be_bytes();
        bytes[..4].copy_from_slice(&[1, kind, length[0], length[1]]);
        bytes[10] = EPOCH;
        prop_assert!(open(&bytes, &keys()).is_err());
        if let Ok(parsed) = parse(&bytes) {
            prop_assert!(parsed.payload.len() <= 1_352);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_changed_byte_passes(
        (frame, payload) in any_frame(), at in any::<prop::sample::Index>(), change in 1u8..=255,
    ) {
        let mut bytes = bytes_of(&frame, DEVICE, &payload);
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(open(&bytes, &keys()).is_err(), "byte {}", at);
    }

    #[test]
    fn no_swapped_cut_or_doubled_bytes_pass(
        (frame, payload) in any_frame(), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
        kind in 0..4,
    ) {
        let original = bytes_of(&frame, DEVICE, &payload);
        let mut bytes = original.clone();
        let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
        match kind {
            0 => bytes.swap(from, to),
            1 => drop(bytes.drain(from.min(to)..from.max(to))),
            2 => bytes.extend_from_within(from.min(to)..from.max(to)),
            _ => bytes.rotate_left(from),
        }
        prop_assert_eq!(open(&bytes, &keys()).is_ok(), bytes == original);
    }
}

#[test]
fn no_single_bit_can_be_changed() {
    for (kind, bytes) in samples() {
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&changed, &keys()).is_err(), "{kind:?}, bit {bit}");
        }
    }
}

#[test]
fn cut_anywhere_or_padded_it_is_refused_for_that() {
    for (kind, bytes) in samples().chain([(FrameType::Data, data_bytes())]) {
        for left in 0..bytes.len() {
            let expected = if left < 28 { WireError::Truncated } else { WireError::Length };
            assert_eq!(open(&bytes[..left], &keys()).err(), Some(expected), "{kind:?}, {left} bytes");
        }
        for more in 1..64 {
            let padded = [&bytes[..], &vec![0; more]].concat();
            assert_eq!(open(&padded, &keys()).err(), Some(WireError::Length), "{kind:?}, {more} more");
        }
    }
}

/// Cut or padded, with the length changed to fit and signed anew, as a device with a wrong idea of the format would.
#[test]
fn a_size_that_the_type_can_not_have_is_refused() {
    for (kind, bytes) in samples().chain([(FrameType::Data, data_bytes())]) {
        for size in (28..1_500).filter(|size| *size != bytes.len()) {
            let resized = verdict(bytes.clone(), |bytes| {
                bytes.resize(size, 0);
                bytes[2..4].copy_from_slice(&(size as u16).to_be_bytes());
            });
            assert_eq!(resized, Some(WireError::Length), "{kind:?}, {size} bytes");
        }
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    for (kind, bytes) in samples() {
        for length in (0..=u16::MAX).filter(|length| usize::from(*length) != bytes.len()) {
            let lying = verdict(bytes.clone(), |bytes| bytes[2..4].copy_from_slice(&length.to_be_bytes()));
            assert_eq!(lying, Some(WireError::Length), "{kind:?} says {length}");
        }
    }
    for (count, each) in [(4, 4), (2, 4), (3, 5), (3, 3), (0, 4), (3, 0), (u16::MAX, u16::MAX), (12, 12)] {
        let lying = verdict(data_bytes(), |bytes| {
            bytes[14..16].copy_from_slice(&u16::to_be_bytes(count));
            bytes[26..28].copy_from_slice(&u16::to_be_bytes(each));
        });
        assert_eq!(lying, Some(WireError::Length), "{count} readings of {each} bytes");
    }
}

#[test]
fn every_other_version_and_type_is_refused() {
    for (_, bytes) in samples() {
        for byte in 0..=u8::MAX {
            let version = verdict(bytes.clone(), |bytes| bytes[0] = byte);
            assert_eq!(version, (byte != 1).then_some(WireError::Version), "version {byte}");
            if !(1..=8).contains(&byte) {
                assert_eq!(verdict(bytes.clone(), |bytes| bytes[1] = byte), Some(WireError::Type));
            }
        }
    }
}

#[test]
fn reserved_bytes_and_unknown_flags_must_be_zero() {
    let reserved: [&[usize]; 8] = [
        &[],
        &[18, 19],
        &[20, 21, 22, 23],
        &[18, 19, 20, 21, 22, 23],
        &[],
        &[13, 14, 15, 20, 21, 22, 23],
        &[15],
        &[12, 13, 14, 15],
    ];
    let flags = [0xfe, 0xfe, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff];
    for (((kind, bytes), reserved), unknown) in samples().zip(reserved).zip(flags) {
        for bit in 0..8 {
            for at in reserved {
                let set = verdict(bytes.clone(), |bytes| bytes[*at] |= 1 << bit);
                assert_eq!(set, Some(WireError::Field), "{kind:?}, byte {at}, bit {bit}");
            }
            if unknown & (1 << bit) != 0 {
                let set = verdict(bytes.clone(), |bytes| bytes[11] |= 1 << bit);
                assert_eq!(set, Some(WireError::Field), "{kind:?}, flag {bit}");
            }
        }
    }
}

#[test]
fn values_without_a_meaning_are_refused() {
    let [hello, admit, _, _, data, ack, nack, _] =
        samples().map(|(_, bytes)| bytes).collect::<Vec<_>>().try_into().unwrap();
    let set = |bytes: &Vec<u8>, at: usize, value: u8| verdict(bytes.clone(), |bytes| bytes[at] = value);
    for value in 2..=u8::MAX {
        for lanes in [&data, &ack, &nack] {
            assert_eq!(set(lanes, 12, value), Some(WireError::Field), "lane {value}");
        }
    }
    for value in 4..=u8::MAX {
        // In DATA the rest of the byte is the term, of which every value is right.
        assert_eq!(set(&data, 13, value), None, "round and term {value}");
        assert_eq!(set(&nack, 13, value), Some(WireError::Field), "round {value}");
    }
    for value in 3..=u8::MAX {
        assert_eq!(set(&nack, 14, value), Some(WireError::Field), "reason {value}");
    }
    for at in (24..28).chain(32..40) {
        assert_eq!(set(&hello, at, 1), Some(WireError::Field), "a cookie's byte {at} without the flag");
    }
    assert_eq!(verdict(admit, |bytes| bytes[11] = 0), Some(WireError::Field), "marks without the flag");
    assert_eq!(set(&data, 27, 4), Some(WireError::Field), "no readings, of 4 bytes");
    assert_eq!(set(&data, 15, 9), Some(WireError::Field), "9 readings, of no bytes");
}

/// Each fault is put on top of all later ones: the first check that fails is told.
#[test]
fn checks_come_in_the_order_of_the_specification() {
    let mut bytes = bytes_of(&one_of_each()[0], DEVICE, &[]);
    *bytes.last_mut().unwrap() ^= 1;
    let mut told = vec![open(&bytes, &keys()).err()];
    let other = MasterKeys::new(MASTER, EPOCH + 1);
    told.push(open(&bytes, &other).err());
    for (at, value) in [(11, 2), (3, 55), (1, 9), (0, 2)] {
        bytes[at] = value;
        told.push(open(&bytes, &other).err());
    }
    told.push(open(&bytes[..27], &other).err());
    told.reverse();
    assert_eq!(told, WireError::ALL.map(Some));
}
