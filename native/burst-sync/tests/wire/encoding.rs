//! Round trips, and frames that can not be written.

use crate::frames::{
    DEVICE, EPOCH, PAYLOAD_BYTES_MAX, any_frame, bytes_of, device_key, keys, one_of_each, sign,
};
use klais_burst_sync::wire::{FRAME_BYTES_MAX, FrameType, MAC_BYTES, Parsed, WireError, encode, open, parse};
use klais_burst_sync::{Data, Frame, Lane};
use proptest::prelude::*;

fn data(count: u16, round: u8) -> Frame {
    Frame::Data(Data {
        session: 1,
        lane: Lane::Live,
        prev: 0,
        first: 0,
        count,
        stride: 1,
        due_millis: 0,
        gap: false,
        round,
        term: klais_burst_sync::TermEcho::default(),
    })
}

fn refused(frame: &Frame, payload_bytes: usize, room: usize) -> WireError {
    let (payload, mut out) = (vec![7; payload_bytes], vec![0; room]);
    encode(frame, DEVICE, EPOCH, &device_key(DEVICE), &payload, &mut out).expect_err("no such frame")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_written_is_read((frame, payload) in any_frame(), device in any::<u32>()) {
        let bytes = bytes_of(&frame, device, &payload);
        let expected = Parsed { device, key_epoch: EPOCH, frame, payload: &payload };
        prop_assert_eq!(open(&bytes, &keys()), Ok(expected));
        prop_assert_eq!(parse(&bytes), Ok(expected));
    }

    /// No two byte strings mean the same, so nothing can be smuggled past a filter by writing it another way.
    #[test]
    fn a_frame_has_one_encoding(kind in 1u8..9, flags in 0u8..2, mut bytes in sparse(), data_bytes in 0usize..40) {
        let fixed = FrameType::ALL[usize::from(kind) - 1].bytes();
        bytes.resize(if kind == FrameType::Data as u8 { fixed + data_bytes } else { fixed }, 0);
        let length = (bytes.len() as u16).to_be_bytes();
        bytes[..4].copy_from_slice(&[1, kind, length[0], length[1]]);
        (bytes[10], bytes[11]) = (EPOCH, flags);
        let device = u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        sign(&mut bytes, &device_key(device));
        if let Ok(parsed) = open(&bytes, &keys()) {
            prop_assert_eq!(bytes_of(&parsed.frame, parsed.device, parsed.payload), bytes);
        }
    }
}

/// Mostly zeros, so that reserved fields are often right.
fn sparse() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop_oneof![9 => Just(0u8), 1 => 0u8..5, 1 => any::<u8>()], 100..101)
}

#[test]
fn every_number_and_size_of_readings_fits_or_is_refused() {
    for count in 1..=u16::try_from(PAYLOAD_BYTES_MAX).unwrap() {
        for each in 1..=PAYLOAD_BYTES_MAX / usize::from(count) {
            let payload = vec![count as u8; usize::from(count) * each];
            let bytes = bytes_of(&data(count, 0), DEVICE, &payload);
            assert_eq!(parse(&bytes).map(|parsed| parsed.payload), Ok(&payload[..]));
        }
    }
    assert_eq!(refused(&data(1, 0), PAYLOAD_BYTES_MAX + 1, 2_000), WireError::Length);
    assert_eq!(refused(&data(1, 0), 70_000, 80_000), WireError::Length);
}

#[test]
fn readings_are_of_one_size_and_not_of_none() {
    assert_eq!(refused(&data(3, 0), 10, 1_400), WireError::Length);
    assert_eq!(refused(&data(0, 0), 12, 1_400), WireError::Length);
    assert_eq!(refused(&data(3, 0), 0, 1_400), WireError::Field);
    assert_eq!(refused(&data(3, 4), 12, 1_400), WireError::Field);
}

#[test]
fn only_data_has_a_payload_and_no_frame_fits_into_less_than_its_size() {
    for (frame, kind) in one_of_each().into_iter().zip(FrameType::ALL) {
        for room in 0..kind.bytes() {
            assert_eq!(refused(&frame, 0, room), WireError::Length, "{kind:?}");
        }
        if kind != FrameType::Data {
            assert_eq!(refused(&frame, 1, 1_400), WireError::Length, "{kind:?}");
        }
        let bytes = bytes_of(&frame, DEVICE, &[]);
        assert_eq!((bytes.len(), bytes[1]), (kind.bytes(), kind as u8));
    }
}

/// Bytes of the buffer behind the frame are the caller's.
#[test]
fn writes_its_frame_and_no_more() {
    let mut out = [0xaa; FRAME_BYTES_MAX];
    let frame = Frame::Bye { session: 1 };
    let bytes = encode(&frame, DEVICE, EPOCH, &device_key(DEVICE), &[], &mut out).unwrap();
    assert!(out[bytes..].iter().all(|byte| *byte == 0xaa));
    assert!(out[bytes - MAC_BYTES..bytes].iter().any(|byte| *byte != 0xaa));
}
