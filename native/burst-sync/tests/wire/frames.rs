//! Any frame that can be written, and the keys and tools that all tests share.

use klais_burst_sync::wire::{DeviceKey, MAC_BYTES, MasterKeys, encode};
use klais_burst_sync::{Admit, Cookie, Data, Defer, Frame, Hello, Lane, Nack, NackReason};
use proptest::prelude::*;
use siphasher::sip128::SipHasher24;

pub const MASTER: [u8; 16] = *b"a master of keys";
pub const EPOCH: u8 = 3;
pub const DEVICE: u32 = 0x0001_86a0;
/// Largest payload of a DATA.
pub const PAYLOAD_BYTES_MAX: usize = 1_352;

pub fn keys() -> MasterKeys {
    MasterKeys::new(MASTER, EPOCH)
}

pub fn device_key(device: u32) -> DeviceKey {
    keys().device_key(device, EPOCH).expect("the present key")
}

/// The frame's bytes, signed by its device.
pub fn bytes_of(frame: &Frame, device: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = [0; 1_400];
    let bytes = encode(frame, device, EPOCH, &device_key(device), payload, &mut out).expect("a frame");
    out[..bytes].to_vec()
}

/// Puts the right MAC under bytes that were changed: what is refused then is refused for the change.
pub fn sign(bytes: &mut [u8], key: &DeviceKey) {
    let (message, tag) = bytes.split_at_mut(bytes.len() - MAC_BYTES);
    tag.copy_from_slice(&SipHasher24::new_with_key(key.bytes()).hash(message).as_bytes());
}

/// One frame of each type, without payload.
pub fn one_of_each() -> [Frame; 8] {
    let cookie = Cookie { slot: 70_000, mac: 0x0123_4567_89ab_cdef };
    let lane = Lane::Backfill;
    [
        Frame::Hello(Hello { session: 2, epoch: 1, backlog: 300, cookie: None, acked: (10, 20), gateway: 0 }),
        Frame::Admit(Admit {
            session: 2,
            marks: Some((10, 20)),
            backfill_delay_millis: 5_000,
            credit: 308,
            term: klais_burst_sync::Term::default(),
        }),
        Frame::Defer(Defer { session: 2, delay_millis: 90_000, cookie }),
        Frame::Redirect { session: 2, delay_millis: 0, address: [0xfd; 16], port: 7_447 },
        Frame::Data(Data {
            session: 2,
            lane,
            prev: 20,
            first: 20,
            count: 0,
            stride: 1,
            due_millis: 1_000,
            gap: false,
            round: 1,
            term: klais_burst_sync::TermEcho::default(),
        }),
        Frame::Ack { session: 2, lane, mark: 28 },
        Frame::Nack(Nack {
            session: 2,
            lane,
            mark: 20,
            delay_millis: 60_000,
            round: 1,
            reason: NackReason::Later,
        }),
        Frame::Bye { session: 2 },
    ]
}

fn lane() -> impl Strategy<Value = Lane> {
    prop_oneof![Just(Lane::Live), Just(Lane::Backfill)]
}

fn reason() -> impl Strategy<Value = NackReason> {
    prop_oneof![Just(NackReason::Gap), Just(NackReason::NoSession), Just(NackReason::Later)]
}

fn cookie() -> impl Strategy<Value = Cookie> {
    (any::<u32>(), any::<u64>()).prop_map(|(slot, mac)| Cookie { slot, mac })
}

/// Any number and size of readings that fits.
fn readings() -> impl Strategy<Value = (u16, Vec<u8>)> {
    (1..=PAYLOAD_BYTES_MAX).prop_flat_map(|each| (Just(each), 0..=PAYLOAD_BYTES_MAX / each)).prop_flat_map(
        |(each, count)| (Just(count as u16), prop::collection::vec(any::<u8>(), each * count..=each * count)),
    )
}

fn data() -> impl Strategy<Value = (Frame, Vec<u8>)> {
    let marks = (any::<u32>(), any::<u32>(), any::<u32>());
    (any::<u16>(), lane(), marks, readings(), any::<u16>(), any::<bool>(), 0u8..4).prop_map(
        |(session, lane, (prev, first, due_millis), (count, payload), stride, gap, round)| {
            let data = Data {
                session,
                lane,
                prev,
                first,
                count,
                stride,
                due_millis,
                gap,
                round,
                term: klais_burst_sync::TermEcho::new(stride as u8),
            };
            (Frame::Data(data), payload)
        },
    )
}

fn bare() -> impl Strategy<Value = Frame> {
    let marks = || (any::<u32>(), any::<u32>());
    prop_oneof![
        (any::<u16>(), any::<u16>(), any::<u16>(), prop::option::of(cookie()), marks(), any::<u32>())
            .prop_map(|(session, epoch, backlog, cookie, acked, gateway)| {
                Frame::Hello(Hello { session, epoch, backlog, cookie, acked, gateway })
            }),
        (any::<u16>(), prop::option::of(marks()), any::<u32>(), any::<u16>()).prop_map(
            |(session, marks, backfill_delay_millis, credit)| {
                Frame::Admit(Admit {
                    session,
                    marks,
                    backfill_delay_millis,
                    credit,
                    term: klais_burst_sync::Term::default(),
                })
            }
        ),
        (any::<u16>(), any::<u32>(), cookie()).prop_map(|(session, delay_millis, cookie)| {
            Frame::Defer(Defer { session, delay_millis, cookie })
        }),
        (any::<u16>(), any::<u32>(), any::<[u8; 16]>(), any::<u16>()).prop_map(
            |(session, delay_millis, address, port)| Frame::Redirect { session, delay_millis, address, port }
        ),
        (any::<u16>(), lane(), any::<u32>()).prop_map(|(session, lane, mark)| Frame::Ack {
            session,
            lane,
            mark
        }),
        (any::<u16>(), lane(), any::<u32>(), any::<u32>(), 0u8..4, reason()).prop_map(
            |(session, lane, mark, delay_millis, round, reason)| {
                Frame::Nack(Nack { session, lane, mark, delay_millis, round, reason })
            }
        ),
        any::<u16>().prop_map(|session| Frame::Bye { session }),
    ]
}

/// Any frame and its payload.
pub fn any_frame() -> impl Strategy<Value = (Frame, Vec<u8>)> {
    prop_oneof![1 => data(), 2 => bare().prop_map(|frame| (frame, Vec::new()))]
}
