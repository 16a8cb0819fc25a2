//! What one daemon takes over loopback, and how fast it answers: a measurement, to be run alone and in release mode:
//! `cargo test --release -p klais-gatewayd --test rate -- --ignored --nocapture`.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "real processes in real time")]

mod common;

use common::{Daemon, Device, config};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, sendmmsg};
use serde_json::Value;
use std::io::IoSlice;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

const DEVICES: u32 = 10_000;
const ROUNDS: u32 = 60;
/// Readings in a frame.
const READINGS: u16 = 4;
const BATCH: usize = 32;

/// Everything passes, and commits come as fast as they can.
fn open() -> Value {
    let mut config = config();
    for place in ["/devices", "/policy/devices"] {
        *config.pointer_mut(place).expect("a key") = DEVICES.into();
    }
    config["poll"] = "busy".into();
    config["assumeOnline"] = true.into();
    let policy = &mut config["policy"];
    policy["admission"] = "open".into();
    policy["commitIntervalMicros"] = 10.into();
    policy["sinkQueueReadings"] = 10_000_000.into();
    config
}

/// Every device's frames, round by round, signed.
fn frames(device: &mut Device) -> Vec<Vec<u8>> {
    let rounds = (0..ROUNDS).flat_map(|round| (0..DEVICES).map(move |id| (round, id)));
    let frame = |(round, id)| {
        device.id = id;
        device.bytes(&device.readings(1, round * u32::from(READINGS), READINGS))
    };
    rounds.map(frame).collect()
}

/// Sends all frames, `per_second` of them or as fast as it can: seconds. Nobody reads the answers: there are two cores at
/// best, and the sender has one of them.
fn send(device: &Device, frames: &[Vec<u8>], per_second: Option<f64>) -> f64 {
    let begin = Instant::now();
    let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(BATCH, None);
    let mut sent = 0;
    while sent < frames.len() {
        // Open loop: a frame goes when its time has come, whatever became of those before.
        let due = per_second.map_or(usize::MAX, |rate| (begin.elapsed().as_secs_f64() * rate) as usize);
        let batch = &frames[sent..frames.len().min(sent + BATCH).min(due.max(sent))];
        if batch.is_empty() {
            std::thread::sleep(Duration::from_micros(10));
            continue;
        }
        let slices: Vec<_> = batch.iter().map(|frame| [IoSlice::new(frame)]).collect();
        let to = vec![None; slices.len()];
        let fd = device.socket.as_raw_fd();
        sent += sendmmsg(fd, &mut headers, &slices, &to, [], MsgFlags::empty()).expect("sent").count();
    }
    begin.elapsed().as_secs_f64()
}

#[test]
#[ignore = "a measurement: alone on the machine, in release mode"]
fn frames_per_second_and_turnaround() {
    let mut device = Device::new(0, "127.0.0.1:9".parse().expect("an address"));
    let frames = frames(&mut device);

    let daemon = Daemon::start(&open());
    let device = Device::over(0, device.socket, daemon.listen);
    let seconds = send(&device, &frames, None);
    let full = daemon.stats();
    let taken = full["frames"]["received"].as_f64().expect("a count");
    let cost = |stats: &Value| {
        let cpu = |key: &str| stats["cpu"][key].as_f64().expect("seconds");
        (cpu("userSeconds") + cpu("systemSeconds")) * 1e9
            / stats["frames"]["received"].as_f64().unwrap_or(1.0)
    };
    let rate = taken / seconds;
    println!("as fast as they come: {} sent in {seconds:.2} s, {taken} taken: {rate:.0}/s", frames.len());
    println!(
        "cpu: {:.0} ns a frame; service {}; socket drops {}",
        cost(&full),
        full["service"],
        full["frames"]["socketDrops"]
    );
    drop(daemon);

    let daemon = Daemon::start(&open());
    let device = Device::over(0, device.socket, daemon.listen);
    let half = rate / 2.0;
    let seconds = send(&device, &frames, Some(half));
    let stats = daemon.until("acknowledged", |stats| stats["turnaroundNanos"]["count"] == frames.len());
    println!("at half of it, {half:.0}/s for {seconds:.2} s: turnaround {} ns", stats["turnaroundNanos"]);
    assert_eq!(stats["sink"]["readings"], frames.len() as u64 * u64::from(READINGS));
    assert_eq!((&stats["sink"]["duplicates"], &stats["sink"]["reordered"]), (&0.into(), &0.into()));
    assert!(stats["turnaroundNanos"]["p50"].as_u64().expect("a time") < 1_000_000, "half of what it can");
}
