//! Captures of ordinary traffic through `klais-xdp replay`: what is not ours comes out as it went in.

mod common;
mod pcaps;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{FIRST_READING, FRAMINGS, Framing, MASTER, PORT, bytes, packet};
use klais_burst_sync::wire::MasterKeys;
use klais_burst_sync::{Frame, Hello};
use pcaps::files::{FORMATS, Format, Written, capture};
use pcaps::foreign::{Foreign, jumbo, ordinary};
use pcaps::packets::{IPV4, ethernet, ipv4_fragment, udp4};
use serde_json::{Value, json};

const EPOCH: u8 = 3;
const SECOND: u64 = 1_000_000_000;
const PCAPNG: Format = Format::Pcapng { is_big_endian: false };

/// A folder of one test's own.
struct Folder(PathBuf);

impl Folder {
    fn of(test: &str) -> Self {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("pcap-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// Filters as devices of this test's keys are used to.
    fn config(&self, more: &Value) -> PathBuf {
        let key: String = MASTER.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut config =
            json!({ "schema": "klais.replay/1", "port": PORT, "masterKey": key, "keyEpoch": EPOCH });
        config.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        self.write("config.json", config.to_string().as_bytes())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing depends on it: it lies among the build's temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn replay(arguments: &[&PathBuf], more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_klais-xdp"))
        .arg("replay")
        .args(arguments)
        .args(more)
        .output()
        .expect("the tool")
}

/// The reports of these captures.
fn reports(captures: &[&PathBuf], config: &Path) -> Vec<Value> {
    let output = replay(captures, &["--json", "--config", config.to_str().expect("a path")]);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complaint} (these tests need root)");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["schema"], "klais.replay-report/1");
    answer["captures"].as_array().expect("reports").clone()
}

/// A frame at a time in milliseconds.
fn at(millis: u64, frame: Vec<u8>) -> Written {
    Written { nanos: 1_700_000_000 * SECOND + millis * 1_000_000, wire_bytes: frame.len() as u32, frame }
}

fn counters<'a>(names: impl Iterator<Item = &'a str>) -> Value {
    let mut counters = BTreeMap::<_, u64>::new();
    names.for_each(|name| *counters.entry(name).or_default() += 1);
    json!(counters)
}

fn hello(device: u32, session: u16) -> Vec<u8> {
    let hello = Hello { session, epoch: 0, backlog: 9, cookie: None, acked: (0, 0), gateway: 0 };
    bytes(&Frame::Hello(hello), device, &MasterKeys::new(MASTER, EPOCH), EPOCH, &[])
}

fn data(device: u32) -> Vec<u8> {
    bytes(&Frame::Data(FIRST_READING), device, &MasterKeys::new(MASTER, EPOCH), EPOCH, &[7; 12])
}

#[test]
#[ignore = "needs root and Linux"]
fn foreign_frames_pass_unchanged_from_every_format() {
    let folder = Folder::of("formats");
    let frames = ordinary();
    assert!(frames.len() > 50, "{}", frames.len());
    let packets: Vec<_> = (0..).zip(&frames).map(|(n, foreign)| at(n, foreign.frame.clone())).collect();
    let files: Vec<_> = (0..)
        .zip(FORMATS)
        .map(|(n, format): (u32, _)| folder.write(&format!("{n}.pcap"), &capture(format, &packets)))
        .collect();
    let expected = counters(frames.iter().map(|Foreign { counter, .. }| *counter));
    for (report, format) in
        reports(&files.iter().collect::<Vec<_>>(), &folder.config(&json!({}))).iter().zip(FORMATS)
    {
        let all = frames.len();
        assert_eq!(report["packets"], all, "{format:?}");
        assert_eq!(
            report["verdicts"],
            json!({ "pass": all, "drop": 0, "tx": 0, "aborted": 0 }),
            "{format:?}"
        );
        assert_eq!(report["foreign"], json!({ "packets": all, "unchanged": all }), "{format:?}");
        assert_eq!(report["counters"], expected, "{format:?}");
        assert_eq!(report["examples"], json!([]), "{format:?}");
    }
}

/// One capture for each frame, so that a wrong counter cannot hide behind another.
#[test]
#[ignore = "needs root and Linux"]
fn every_kind_of_foreign_frame_is_counted_as_what_it_is() {
    let folder = Folder::of("kinds");
    let frames = ordinary();
    let files: Vec<_> = (0..)
        .zip(&frames)
        .map(|(n, foreign): (u32, _)| {
            folder.write(&format!("{n}.pcap"), &capture(PCAPNG, &[at(0, foreign.frame.clone())]))
        })
        .collect();
    for (report, foreign) in
        reports(&files.iter().collect::<Vec<_>>(), &folder.config(&json!({}))).iter().zip(&frames)
    {
        assert_eq!(report["counters"], json!({ foreign.counter: 1 }), "{}", foreign.what);
        assert_eq!(report["foreign"], json!({ "packets": 1, "unchanged": 1 }), "{}", foreign.what);
    }
}

#[test]
#[ignore = "needs root and Linux"]
fn own_frames_among_foreign_ones_meet_the_fate_of_their_own() {
    let folder = Folder::of("mixed");
    let second = json!({ "events": 1, "periodNanos": SECOND, "burst": 1 });
    let config = folder.config(
        &json!({ "devices": 100, "sessions": "slots", "slots": true, "limits": { "sessions": second } }),
    );
    let fragment = ethernet(IPV4, &ipv4_fragment(0, false, &udp4(40_000, PORT, &[3; 1_472])));
    let forged = {
        let mut frame = packet(Framing::Ipv4, &hello(5, 1));
        *frame.last_mut().expect("a MAC") ^= 1;
        frame
    };
    let mut packets: Vec<_> = (0..).zip(ordinary()).map(|(n, foreign)| at(n, foreign.frame)).collect();
    let others = packets.len();
    // By the capture's clock, the second HELLO comes within a second of the first, the third long after it.
    let own = [
        (1_000, packet(Framing::Ipv4, &hello(1, 1))),
        (1_001, packet(Framing::Ipv6, &hello(2, 1))),
        (9_000, packet(Framing::DoubleVlan, &hello(3, 1))),
        (9_001, packet(Framing::Ipv4, &hello(200, 1))),
        (9_002, forged),
        (9_003, fragment),
    ];
    packets.extend(own.into_iter().map(|(millis, frame)| at(millis, frame)));
    packets.extend(FRAMINGS.map(|framing| at(9_100, packet(framing, &data(1)))));
    let report = &reports(&[&folder.write("mixed.pcapng", &capture(PCAPNG, &packets))], &config)[0];
    assert_eq!(report["foreign"], json!({ "packets": others, "unchanged": others }));
    assert_eq!(report["verdicts"], json!({ "pass": others + 7, "drop": 3, "tx": 1, "aborted": 0 }));
    let count = |name: &str| report["counters"][name].as_u64().unwrap_or_default();
    let own = ["pass-hello", "defer", "unknown-device", "mac", "fragment", "pass-data"].map(count);
    assert_eq!(own, [2, 1, 1, 1, 1, 5]);
    let reasons = json!({ "answered: defer": 1, "dropped: fragment": 1, "dropped: mac": 1, "dropped: unknown-device": 1 });
    assert_eq!(report["reasons"], reasons);
    let deferred = &report["examples"][0];
    assert_eq!((&deferred["index"], &deferred["seconds"]), (&json!(others + 2), &json!(1.001)));
    assert_eq!(report["seconds"], 9.1);
}

/// Where the gateway's addresses are known, its port on others is somebody else's.
#[test]
#[ignore = "needs root and Linux"]
fn our_port_at_an_address_of_others_is_foreign() {
    let folder = Folder::of("addresses");
    let config = folder.config(&json!({ "devices": 100, "addresses": ["10.77.0.9", "fd00::1"] }));
    let elsewhere = |to: [u8; 4]| {
        let mut frame = packet(Framing::Ipv4, &hello(1, 1));
        // A sum of 16-bit words changes with what is summed.
        let checksum = u16::from_be_bytes([frame[24], frame[25]]).wrapping_sub(u16::from(to[3]) - 1);
        frame[24..26].copy_from_slice(&checksum.to_be_bytes());
        frame[30..34].copy_from_slice(&to);
        frame
    };
    let frames = [elsewhere([10, 77, 0, 1]), elsewhere([10, 77, 0, 9]), packet(Framing::Ipv6, &hello(2, 1))];
    let packets = frames.map(|frame| at(0, frame));
    let report = &reports(&[&folder.write("addresses.pcap", &capture(FORMATS[0], &packets))], &config)[0];
    assert_eq!(report["counters"], json!({ "foreign-udp": 1, "pass-hello": 2 }));
    assert_eq!(report["foreign"], json!({ "packets": 1, "unchanged": 1 }));
}

#[test]
#[ignore = "needs root and Linux"]
fn what_cannot_be_run_is_never_said_to_have_passed() {
    let folder = Folder::of("lengths");
    let whole = ordinary().into_iter().find(|foreign| foreign.what == "TLS").expect("a frame").frame;
    let cut = Written { wire_bytes: whole.len() as u32, ..at(2, whole[..68].to_vec()) };
    let mut packets = vec![at(0, Vec::new()), at(1, vec![0; 13]), cut];
    packets.extend((3..).zip(jumbo()).map(|(n, foreign)| at(n, foreign.frame)));
    let most = at(9, vec![0; 262_144]);
    packets.push(most);
    let report = &reports(
        &[&folder.write("lengths.pcap", &capture(FORMATS[0], &packets))],
        &folder.config(&json!({})),
    )[0];
    let frame_bytes_max = report["frameBytesMax"].as_u64().expect("a number") as usize;
    assert!(frame_bytes_max >= 3_520, "{frame_bytes_max}");
    let too_long = packets.iter().filter(|packet| packet.frame.len() > frame_bytes_max).count();
    assert_eq!(report["notRun"], json!({ "tooShort": 2, "tooLong": too_long }));
    let run = packets.len() - 2 - too_long;
    assert_eq!(report["foreign"], json!({ "packets": run, "unchanged": run }));
    assert_eq!((&report["verdicts"]["pass"], &report["cut"]), (&json!(run), &json!(1)));
    assert_eq!(report["reasons"], json!({ "not run: too long": too_long, "not run: too short": 2 }));
}

#[test]
fn a_broken_capture_ends_the_replay_before_anything_is_loaded_or_printed() {
    let folder = Folder::of("broken");
    let packets: Vec<_> = (0..).zip(ordinary()).map(|(n, foreign)| at(n, foreign.frame)).collect();
    let good = capture(FORMATS[0], &packets);
    let good_file = folder.write("good.pcap", &good);
    let cases = [
        (folder.write("empty.pcap", &[]), "empty.pcap: byte 0: the file is empty".into()),
        (folder.write("text.pcap", b"no capture"), "text.pcap: byte 0: begins with [6e, 6f, 20, 63]".into()),
        (
            folder.write("cut.pcap", &good[..good.len() - 1]),
            format!(
                "cut.pcap: byte {}: packet {} is cut off",
                good.len() - 16 - packets[packets.len() - 1].frame.len(),
                packets.len()
            ),
        ),
        (folder.0.clone(), "not a regular file".into()),
        (folder.0.join("none.pcap"), "none.pcap: No such file or directory".into()),
    ];
    for (file, expected) in cases {
        let output = replay(&[&good_file, &file], &[]);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.contains(&expected), "expected {expected}, found {complaint}");
        assert_eq!(output.status.code(), Some(2), "{complaint}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_wrong_configuration_is_refused_with_its_place() {
    let folder = Folder::of("config");
    let capture = folder.write("none.pcap", &capture(FORMATS[0], &[]));
    let cases = [
        ("{", "EOF while parsing an object at line 1 column 1"),
        (r#"{"schema":"klais.replay/2"}"#, "this version reads klais.replay/1, not \"klais.replay/2\""),
        ("{\"schema\":\"klais.replay/1\",\n\"prot\":1}", "unknown field `prot`"),
        ("{\"schema\":\"klais.replay/1\",\n\"prot\":1}", "at line 2 column 6"),
        (r#"{"schema":"klais.replay/1","port":0}"#, "port: 1 to 65535"),
        (r#"{"schema":"klais.replay/1","devices":0}"#, "devices: 1 to 16777216"),
        (r#"{"schema":"klais.replay/1","masterKey":"12"}"#, "masterKey: expected 32 hexadecimal digits"),
        (r#"{"schema":"klais.replay/1","limits":{"live":{"events":1}}}"#, "missing field `periodNanos`"),
    ];
    for (text, expected) in cases {
        let config = folder.write("config.json", text.as_bytes());
        let output = replay(&[&capture], &["--config", config.to_str().expect("a path")]);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(complaint.contains(expected), "expected {expected}, found {complaint}");
        assert!(complaint.contains("config.json: "), "{complaint}");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    }
}
