//! Whose key opens what, and for how long.

use crate::frames::{DEVICE, EPOCH, MASTER, bytes_of, device_key, keys, one_of_each};
use klais_burst_sync::wire::{DeviceKey, MasterKeys, WireError, encode, open};
use siphasher::sip128::SipHasher24;

/// The first two of the authors' reference vectors: key 00, 01, … 0f, messages of 0 and 1 byte.
const REFERENCE: [[u8; 16]; 2] = [
    [0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93],
    [0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45],
];

#[test]
fn the_hash_is_the_one_of_the_reference_code() {
    let key = std::array::from_fn(|n| n as u8);
    for (length, tag) in REFERENCE.iter().enumerate() {
        let message: Vec<u8> = (0..length as u8).collect();
        assert_eq!(SipHasher24::new_with_key(&key).hash(&message).as_bytes(), *tag);
    }
}

#[test]
fn a_device_key_is_the_hash_of_its_number_and_purpose() {
    for device in [0, 1, DEVICE, u32::MAX] {
        let message = [&device.to_be_bytes()[..], b"kdev"].concat();
        let expected = SipHasher24::new_with_key(&MASTER).hash(&message).as_bytes();
        assert_eq!(device_key(device).bytes(), &expected);
    }
}

#[test]
fn a_rotation_leaves_no_gap_and_a_second_one_ends_the_old_key() {
    for (first, second, third) in [(EPOCH, EPOCH + 1, EPOCH + 2), (254, 255, 0), (9, 3, 200)] {
        let mut keys = MasterKeys::new(MASTER, first);
        let key = keys.device_key(DEVICE, first).unwrap();
        let mut out = [0; 1_400];
        let size = encode(&one_of_each()[0], DEVICE, first, &key, &[], &mut out).unwrap();
        let old = &out[..size];
        assert!(open(old, &keys).is_ok());
        keys.rotate([1; 16], second);
        assert!(open(old, &keys).is_ok(), "refused after one rotation");
        assert_eq!(keys.epoch(), second);
        keys.rotate([2; 16], third);
        assert_eq!(open(old, &keys), Err(WireError::KeyEpoch));
        assert!(keys.device_key(DEVICE, second).is_some() && keys.device_key(DEVICE, third).is_some());
    }
}

/// A key that leaked can be replaced under its own number, and then opens nothing.
#[test]
fn a_repeated_number_replaces_its_key_and_keeps_the_one_before() {
    let mut keys = keys();
    let frame = bytes_of(&one_of_each()[0], DEVICE, &[]);
    keys.rotate([1; 16], EPOCH + 1);
    keys.rotate([2; 16], EPOCH + 1);
    assert!(open(&frame, &keys).is_ok());
    keys.rotate([3; 16], EPOCH);
    assert_eq!(open(&frame, &keys), Err(WireError::Mac));
}

#[test]
fn only_the_devices_own_key_opens() {
    for frame in one_of_each() {
        let mut out = [0; 1_400];
        for key in [device_key(DEVICE + 1), DeviceKey::new(MASTER), DeviceKey::new([0; 16])] {
            let size = encode(&frame, DEVICE, EPOCH, &key, &[], &mut out).unwrap();
            assert_eq!(open(&out[..size], &keys()), Err(WireError::Mac));
        }
        let strangers = MasterKeys::new([1; 16], EPOCH);
        assert_eq!(open(&bytes_of(&frame, DEVICE, &[]), &strangers), Err(WireError::Mac));
    }
}

#[test]
fn keys_are_not_shown() {
    let mut keys = keys();
    keys.rotate(*b"another 16 bytes", 7);
    assert_eq!(format!("{keys:?}"), "MasterKeys { epoch: 7, previous_epoch: Some(3), .. }");
    assert_eq!(format!("{:?}", device_key(DEVICE)), "DeviceKey");
}
