//! `klais-xdp bench` and `klais-xdp peers` as programs: what they print is what other programs read.
#![cfg(target_os = "linux")]

use serde_json::Value;
use std::process::{Command, Output};

fn tool(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_klais-xdp")).args(arguments).output().expect("the program")
}

/// The records of a quick run, each checked for what every record has.
fn records(command: &str) -> Vec<Value> {
    let output = tool(&[command, "--json", "--quick"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let text = String::from_utf8(output.stdout).expect("text");
    let records: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    for record in &records {
        assert_eq!(record["better"], "lower", "{record}");
        assert!(record["samples"].as_array().is_some_and(|samples| samples.len() >= 2), "{record}");
        assert!(record.get("wanted").is_none(), "a quick run is not judged: {record}");
        assert!(record["environment"]["loadAverage"].is_string(), "{record}");
    }
    records
}

fn least(records: &[Value], name: &str) -> f64 {
    let record = records.iter().find(|record| record["name"] == name).expect(name);
    let samples = record["samples"].as_array().into_iter().flatten().filter_map(Value::as_f64);
    samples.fold(f64::INFINITY, f64::min)
}

#[test]
#[ignore = "needs root and Linux"]
fn every_verdict_has_its_cost() {
    let records = records("bench");
    assert_eq!(records.len(), 14);
    let cost = |name| least(&records, name);
    let floor = cost("floor: an empty program that drops");
    assert!(floor > 1.0 && floor < 10_000.0, "{floor}");
    // An answer signs twice over; whoever looks at the first bytes only does next to nothing.
    assert!(cost("HELLO answered DEFER, newcomer") > 2.0 * cost("foreign, ARP"));
}

#[test]
#[ignore = "needs root and Linux, nftables and iproute2"]
fn a_drop_in_the_kernel_costs_less_than_one_behind_it() {
    let records = records("peers");
    let cost = |name| least(&records, name);
    assert!(cost("dam, dropped by the global bucket") < cost("nftables ingress, one rate limit"));
    assert!(cost("nftables ingress, one rate limit") < cost("recvmmsg and discard"));
    for record in records.iter().filter(|record| record["environment"].get("receivedShare").is_some()) {
        let name = record["name"].as_str().unwrap_or_default();
        let is_sent_to_nobody = name.starts_with("sender ");
        assert!(is_sent_to_nobody || record["environment"]["receivedShare"] == "1.00000", "{record}");
    }
}

#[test]
fn an_unknown_flag_is_refused_without_a_figure() {
    let output = tool(&["bench", "--jsn"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}
