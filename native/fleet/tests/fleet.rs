//! The packet fleet against the real gateway: everybody comes back, and every reading is accounted for.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use common::accounts::{assert_accounts, report_with_accounts};
use common::gateway::{Seen, TestGateway, settings};
use common::{Setup, number, read_json};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Stdio;
use std::time::Duration;

const DEVICES: u32 = 2_000;

fn assert_balanced(report: &Value, seen: &Seen) {
    let acked = number(report, "acked");
    let lost = number(report, "lostOverflow") + number(report, "lostVolatile");
    assert_eq!(number(report, "produced"), acked + number(report, "buffered") + lost, "{report}");
    assert_eq!(report["imbalance"], json!(0));
    // What the gateway has is what devices know to be there, and what they have not heard of yet.
    assert!(seen.readings >= acked, "{} stored, {acked} acknowledged", seen.readings);
    assert!(seen.readings <= acked + number(report, "buffered"), "{} stored: {report}", seen.readings);
    assert_eq!((seen.moved, seen.ill_sized), (0, 0));
    assert!(report["sendErrors"].as_object().is_some_and(serde_json::Map::is_empty), "{report}");
}

fn assert_all_back(report: &Value, power_on_micros: u64) {
    let connected = &report["connected"];
    assert_eq!(number(connected, "count"), u64::from(DEVICES));
    assert_eq!(number(connected, "neverConnected"), 0);
    let drained = number(report, "drainedAtMicros");
    assert!((power_on_micros..number(report, "endMicros")).contains(&drained), "{drained}");
    assert_eq!(number(report, "undrainedReadings"), 0);
    let last = report["series"].as_array().and_then(|rows| rows.last()).expect("rows");
    assert_eq!((number(last, "online"), number(last, "backlogReadings")), (u64::from(DEVICES), 0));
}

#[test]
fn a_whole_fleet_restarts_and_comes_back() {
    let gateway = TestGateway::start(&settings(DEVICES), 10.0, 0);
    let mut setup = Setup::fleet(&gateway, DEVICES, "127.80.0.0", 50);
    setup.restart(DEVICES, 10, 20);
    let report = setup.report(&[]);
    let seen = gateway.stop();
    assert_eq!(report["complete"], json!(true));
    assert_balanced(&report, &seen);
    assert_all_back(&report, 20_000_000);
    // With 500 sessions a second the last ones wait for about two seconds.
    assert!(number(&report, "defers") > u64::from(DEVICES) / 4, "{report}");
    assert!(number(&report, "cookies") > u64::from(DEVICES) / 4, "{report}");
    // At the end devices hold what they have read since their last report.
    assert!(number(&report, "buffered") <= 3 * u64::from(DEVICES), "{report}");
    assert_eq!(number(&report, "lostOverflow"), 0);
    assert_eq!(number(&report, "lagLimitMicros"), 5_000);
    assert_eq!(report["series"].as_array().map(Vec::len), Some(50));
    let dark = &report["series"][15];
    assert_eq!((number(dark, "online"), number(dark, "framesSent")), (0, 0));
    let first = u32::from(Ipv4Addr::new(127, 80, 0, 1));
    assert_eq!(seen.sources.len(), DEVICES as usize);
    assert!(seen.sources.iter().all(|(device, from)| u32::from(*from.ip()) == first + device));
}

#[test]
fn readings_are_timed_from_when_they_were_taken() {
    let gateway = TestGateway::start(&settings(DEVICES), 10.0, 0);
    let mut setup = Setup::fleet(&gateway, DEVICES, "127.79.0.0", 40);
    setup.restart(DEVICES, 10, 20);
    let from_micros = 8_000_000;
    setup.config["delays"] = json!({ "fromMicros": from_micros, "lateMicros": 5_000_000 });
    let report = setup.report(&[]);
    drop(gateway.stop());
    let (all, late) = (&report["delays"]["all"], &report["delays"]["late"]);
    // One reading a second; what was taken before is not among them.
    let taken = u64::from(DEVICES) * 32;
    let timed = number(all, "count") + number(&report, "buffered");
    assert!(timed.abs_diff(taken) <= u64::from(DEVICES), "{timed} of {taken}: {report}");
    // Reported every two seconds; those of ten seconds without power have to wait.
    assert!(number(all, "p50") < 5_000_000, "{report}");
    let dark = number(late, "count");
    assert!((u64::from(DEVICES) * 4..u64::from(DEVICES) * 14).contains(&dark), "{report}");
    assert!((9_000_000..25_000_000).contains(&number(late, "p99")), "{report}");
}

#[test]
fn a_lossy_network_costs_time_and_no_reading() {
    let gateway = TestGateway::start(&settings(DEVICES), 10.0, 100);
    let mut setup = Setup::fleet(&gateway, DEVICES, "127.81.0.0", 80);
    setup.restart(DEVICES, 5, 10);
    let report = report_with_accounts(&mut setup);
    let seen = gateway.stop();
    assert_balanced(&report, &seen);
    assert_accounts(&setup, &report, &seen);
    assert_all_back(&report, 10_000_000);
    assert_eq!(number(&report, "lostOverflow"), 0);
    let copies = number(&report, "readingsSent") - number(&report, "produced");
    assert!(copies > number(&report, "produced") / 50, "nothing was sent again: {report}");
}

#[test]
fn what_a_volatile_buffer_loses_is_counted() {
    let gateway = TestGateway::start(&settings(DEVICES), 10.0, 50);
    let mut setup = Setup::fleet(&gateway, DEVICES, "127.82.0.0", 50);
    setup.config["fleet"]["storage"] = json!("volatile");
    setup.config["fleet"]["sensingBackup"] = json!(false);
    setup.config["fleet"]["bufferReadings"] = json!(2);
    setup.restart(DEVICES, 10, 15);
    let report = report_with_accounts(&mut setup);
    let seen = gateway.stop();
    assert_accounts(&setup, &report, &seen);
    let lost = number(&report, "lostVolatile");
    // Every other device has a reading that it has not reported yet.
    assert!(lost > u64::from(DEVICES) / 4, "{report}");
    let accounted = number(&report, "acked") + number(&report, "buffered") + number(&report, "lostOverflow");
    assert_eq!(number(&report, "produced"), accounted + lost);
    // Five seconds without power are five readings never taken.
    let taken = u64::from(DEVICES) * 45;
    assert!(number(&report, "produced").abs_diff(taken) <= u64::from(DEVICES), "{report}");
    assert!(seen.readings >= number(&report, "acked"));
}

#[test]
fn what_a_full_buffer_gives_up_is_on_its_device_account() {
    for (address, overflow) in
        [("127.86.0.0", "drop-oldest"), ("127.87.0.0", "drop-newest"), ("127.88.0.0", "decimate")]
    {
        let gateway = TestGateway::start(&settings(300), 10.0, 100);
        let mut setup = Setup::fleet(&gateway, 300, address, 40);
        setup.config["fleet"]["overflow"] = json!(overflow);
        setup.config["fleet"]["bufferReadings"] = json!(7);
        setup.restart(300, 5, 20);
        let report = report_with_accounts(&mut setup);
        let seen = gateway.stop();
        assert!(number(&report, "lostOverflow") > 300 * 5, "{report}");
        assert_accounts(&setup, &report, &seen);
    }
}

#[test]
fn a_signal_ends_the_run_with_a_report() {
    let gateway = TestGateway::start(&settings(DEVICES), 10.0, 0);
    let mut setup = Setup::fleet(&gateway, DEVICES, "127.83.0.0", 600);
    setup.restart(DEVICES, 2, 5);
    let mut child = setup.command(&[]).stdout(Stdio::piped()).spawn().expect("started");
    std::thread::sleep(Duration::from_millis(1_500));
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).expect("sent");
    let output = child.wait().expect("ended");
    assert!(output.success(), "{output:?}");
    let report = read_json(&setup.path("report.json"));
    let seen = gateway.stop();
    assert_eq!(report["complete"], json!(false));
    let end = number(&report, "endMicros");
    assert!((8_000_000..30_000_000).contains(&end), "{end}");
    assert_balanced(&report, &seen);
    assert_eq!(std::fs::read_dir(setup.folder.path()).map(Iterator::count).ok(), Some(3));
}

#[test]
fn without_a_gateway_nobody_connects_and_nothing_is_lost_silently() {
    let gateway = TestGateway::start(&settings(1), 10.0, 1_000);
    let mut setup = Setup::fleet(&gateway, 50, "127.84.0.0", 30);
    setup.restart(50, 1, 2);
    let report = setup.report(&[]);
    gateway.stop();
    assert_eq!(report["drainedAtMicros"], Value::Null);
    assert_eq!(number(&report["connected"], "neverConnected"), 50);
    assert_eq!((number(&report, "acked"), number(&report, "framesReceived")), (0, 0));
    assert_eq!(number(&report, "produced"), number(&report, "buffered"));
    assert!(number(&report, "hellos") > 100, "{report}");
}

#[test]
fn devices_leave_a_gateway_that_is_gone_as_soon_as_they_are_refused() {
    let gateway = TestGateway::start(&settings(DEVICES), 10.0, 0);
    let gone = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("an address");
    // Without the refusals, retransmissions alone would take 14 s.
    let mut setup = Setup::fleet(&gateway, DEVICES, "127.78.0.0", 12);
    setup.config["gateways"] = json!([gone.to_string(), gateway.address.to_string()]);
    setup.config["fleet"]["gateways"] = json!(2);
    let report = setup.report(&[]);
    let seen = gateway.stop();
    assert_balanced(&report, &seen);
    assert_eq!(number(&report, "connects"), u64::from(DEVICES / 2), "{report}");
    assert!(number(&report, "refusals") >= u64::from(DEVICES), "{report}");
}

#[test]
fn a_fleet_without_power_takes_nothing_until_it_has_some() {
    let gateway = TestGateway::start(&settings(100), 10.0, 0);
    let mut setup = Setup::fleet(&gateway, 100, "127.85.0.0", 20);
    setup.config["assumeOnline"] = json!(false);
    let on: String = (0..100).map(|device| format!("10000000,{device},on,1000\n")).collect();
    setup.write("transitions", &on);
    let report = setup.report(&[]);
    let seen = gateway.stop();
    assert_balanced(&report, &seen);
    assert_eq!(number(&report, "produced"), 100 * 10);
    assert_eq!(number(&report["connected"], "count"), 100);
}
