//! `native/vectors/wire-v1.json`, which other languages test against: KLAIS_VECTORS=write writes it anew.

use crate::frames::sign;
use crate::vector_list::{Change, Fault, Invalid, Valid, all_invalid, all_valid};
use klais_burst_sync::Frame;
use klais_burst_sync::wire::{DeviceKey, FrameType, MasterKeys, Parsed, WireError, encode, open};
use serde_json::{Value, json};
use siphasher::sip128::SipHasher24;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/wire-v1.json");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn name(kind: FrameType) -> String {
    format!("{kind:?}").to_uppercase()
}

fn key(valid: &Valid, device: u32) -> DeviceKey {
    MasterKeys::new(valid.master_key, valid.key_epoch).device_key(device, valid.key_epoch).unwrap()
}

fn bytes(valid: &Valid) -> Vec<u8> {
    let mut out = [0; 1_400];
    let key = key(valid, valid.device);
    let size = encode(&valid.frame, valid.device, valid.key_epoch, &key, &valid.payload, &mut out).unwrap();
    out[..size].to_vec()
}

fn kind(valid: &Valid) -> FrameType {
    FrameType::ALL[usize::from(bytes(valid)[1]) - 1]
}

/// The fields of a type, told from the frame and not from its bytes. 64-bit numbers as text, bytes as hex.
fn own_fields(valid: &Valid) -> (u16, bool, Value) {
    match valid.frame {
        Frame::Hello(f) => {
            let cookie = f.cookie.unwrap_or_default();
            let fields = json!({
                "epoch": f.epoch, "backlog": f.backlog, "acked_live": f.acked.0, "acked_backfill": f.acked.1,
                "cookie_slot": cookie.slot, "cookie_mac": cookie.mac.to_string(), "gateway": f.gateway,
            });
            (f.session, f.cookie.is_some(), fields)
        }
        Frame::Admit(f) => {
            let (live, backfill) = f.marks.unwrap_or_default();
            let fields = json!({
                "backfill_delay_millis": f.backfill_delay_millis, "credit": f.credit, "term": f.term.number(),
                "mark_live": live, "mark_backfill": backfill,
            });
            (f.session, f.marks.is_some(), fields)
        }
        Frame::Defer(f) => {
            let (slot, mac) = (f.cookie.slot, f.cookie.mac.to_string());
            (
                f.session,
                false,
                json!({ "delay_millis": f.delay_millis, "cookie_slot": slot, "cookie_mac": mac }),
            )
        }
        Frame::Redirect { session, delay_millis, address, port } => {
            (session, false, json!({ "delay_millis": delay_millis, "port": port, "address": hex(&address) }))
        }
        Frame::Data(f) => {
            let reading_bytes = valid.payload.len() / usize::from(f.count.max(1));
            let fields = json!({
                "lane": f.lane as u8, "round_and_term": f.round | f.term.number() << 2, "count": f.count, "prev": f.prev, "first": f.first,
                "stride": f.stride, "reading_bytes": reading_bytes, "due_millis": f.due_millis,
                "payload": hex(&valid.payload),
            });
            (f.session, f.gap, fields)
        }
        Frame::Ack { session, lane, mark } => (session, false, json!({ "lane": lane as u8, "mark": mark })),
        Frame::Nack(f) => {
            let fields = json!({
                "lane": f.lane as u8, "round": f.round, "reason": f.reason as u8, "mark": f.mark,
                "delay_millis": f.delay_millis,
            });
            (f.session, false, fields)
        }
        Frame::Bye { session } => (session, false, json!({})),
    }
}

fn fields(valid: &Valid) -> Value {
    let (session, flag, mut fields) = own_fields(valid);
    let kind = kind(valid);
    let header = json!({
        "version": 1, "type": kind as u8, "length": kind.bytes() + valid.payload.len(), "device": valid.device,
        "session": session, "key_epoch": valid.key_epoch, "flags": u8::from(flag),
    });
    fields.as_object_mut().unwrap().extend(header.as_object().unwrap().clone());
    fields
}

fn valid_entry(valid: &Valid) -> Value {
    json!({
        "name": valid.name, "type": name(kind(valid)), "masterKey": hex(&valid.master_key),
        "keyEpoch": valid.key_epoch, "device": valid.device,
        "deviceKey": hex(key(valid, valid.device).bytes()), "hex": hex(&bytes(valid)), "fields": fields(valid),
    })
}

fn first_of(kind_of: FrameType) -> Valid {
    all_valid().into_iter().find(|valid| kind(valid) == kind_of).expect("a valid one of each type")
}

fn write_over(bytes: &mut [u8], changes: &[Change]) {
    for (at, new) in changes {
        bytes[*at..at + new.len()].copy_from_slice(new);
    }
}

fn spoilt(from: &Valid, fault: &Fault) -> Vec<u8> {
    let (mut bytes, own_key) = (bytes(from), key(from, from.device));
    match fault {
        Fault::Signed(changes) => {
            write_over(&mut bytes, changes);
            sign(&mut bytes, &own_key);
        }
        Fault::Resized(size, changes) => {
            bytes.resize(*size, 0);
            bytes[2..4].copy_from_slice(&(*size as u16).to_be_bytes());
            write_over(&mut bytes, changes);
            sign(&mut bytes, &own_key);
        }
        Fault::Unsigned(changes) => write_over(&mut bytes, changes),
        Fault::Flipped(at) => bytes[*at] ^= 1,
        Fault::Cut(size) => bytes.resize(*size, 0),
        Fault::SignedBy(device) => sign(&mut bytes, &key(from, *device)),
    }
    bytes
}

fn invalid_entry(invalid: &Invalid) -> Value {
    let from = first_of(invalid.from);
    json!({
        "name": invalid.name, "type": name(invalid.from), "masterKey": hex(&from.master_key),
        "keyEpoch": from.key_epoch, "device": from.device, "hex": hex(&spoilt(&from, &invalid.fault)),
        "error": invalid.error.name(),
    })
}

fn hash_entry(length: u8) -> Value {
    let key: [u8; 16] = std::array::from_fn(|n| n as u8);
    let message: Vec<u8> = (0..length).collect();
    let tag = SipHasher24::new_with_key(&key).hash(&message).as_bytes();
    json!({ "key": hex(&key), "message": hex(&message), "tag": hex(&tag) })
}

/// What the file is to hold.
fn document() -> Value {
    let hashes = [0, 1, 7, 8, 15, 16, 40, 63].map(hash_entry);
    json!({
        "schema": "klais.wire-vectors/1",
        "version": 1,
        "sipHash24x128": hashes,
        "valid": all_valid().iter().map(valid_entry).collect::<Vec<_>>(),
        "invalid": all_invalid().iter().map(invalid_entry).collect::<Vec<_>>(),
    })
}

#[expect(clippy::disallowed_methods, reason = "writes the file when asked to")]
fn is_to_be_written() -> bool {
    std::env::var("KLAIS_VECTORS").is_ok_and(|what| what == "write")
}

#[test]
fn the_file_is_what_the_code_says() {
    if is_to_be_written() {
        let text = serde_json::to_string_pretty(&document()).unwrap();
        std::fs::write(PATH, text + "\n").unwrap();
    }
    let text = std::fs::read_to_string(PATH).expect("the vectors");
    let stored: Value = serde_json::from_str(&text).expect("JSON");
    assert!(stored == document(), "{PATH} is out of date: run this test with KLAIS_VECTORS=write");
}

#[test]
fn valid_ones_are_read_as_what_they_are() {
    for valid in all_valid() {
        let keys = MasterKeys::new(valid.master_key, valid.key_epoch);
        let expected = Parsed {
            device: valid.device,
            key_epoch: valid.key_epoch,
            frame: valid.frame,
            payload: &valid.payload,
        };
        assert_eq!(open(&bytes(&valid), &keys), Ok(expected), "{}", valid.name);
    }
}

#[test]
fn invalid_ones_are_refused_for_what_is_wrong_with_them() {
    for invalid in all_invalid() {
        let from = first_of(invalid.from);
        let keys = MasterKeys::new(from.master_key, from.key_epoch);
        let spoilt = spoilt(&from, &invalid.fault);
        assert_eq!(open(&spoilt, &keys), Err(invalid.error), "{}", invalid.name);
    }
}

#[test]
fn every_type_and_error_is_there_and_names_differ() {
    let count = |kind_of: FrameType| all_valid().iter().filter(|valid| kind(valid) == kind_of).count();
    assert!(FrameType::ALL.into_iter().all(|kind| count(kind) >= 3));
    let errors: Vec<WireError> = all_invalid().iter().map(|invalid| invalid.error).collect();
    assert!(WireError::ALL.iter().all(|error| errors.contains(error)));
    let mut names: Vec<String> = all_valid().into_iter().map(|valid| valid.name).collect();
    names.extend(all_invalid().iter().map(|invalid| invalid.name.to_owned()));
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
}
