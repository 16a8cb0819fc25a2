//! The file of each device's account, read from its description alone.

use super::gateway::Seen;
use super::{Setup, number, read_json};
use serde_json::{Value, json};
use std::fs;

const NUMBERS: usize = 6;

/// Holds the accounts that a fleet has written against its report and against what the gateway has stored.
pub fn assert_accounts(setup: &Setup, report: &Value, seen: &Seen) {
    let file = fs::read(setup.path("ledger")).expect("a ledger");
    let end = file.iter().position(|byte| *byte == b'\n').expect("a first line");
    let header: Value = serde_json::from_slice(&file[..end]).expect("JSON");
    let (devices, readings) = (number(&header, "devices"), number(&header, "readings"));
    assert_eq!(header["schema"], json!("klais.ledger/1"));
    assert_eq!(devices, number(report, "devices"));
    let bytes = 4 * NUMBERS + readings.div_ceil(8) as usize;
    let rows = file[end + 1..].chunks_exact(bytes);
    assert!(rows.remainder().is_empty());
    let is_volatile = setup.config["fleet"]["storage"] == json!("volatile");
    let mut sums = [0; 5];
    for (row, device) in rows.zip(0..) {
        let numbers: Vec<u64> = row[..4 * NUMBERS]
            .chunks_exact(4)
            .map(|bytes| u64::from(u32::from_be_bytes(bytes.try_into().expect("four bytes"))))
            .collect();
        let bitmap = &row[4 * NUMBERS..];
        let acked: Vec<u32> = (0..readings as u32)
            .filter(|index| bitmap[(index / 8) as usize] & 1 << (index % 8) != 0)
            .collect();
        let [live, backfill, produced, held, overflow, volatile] = numbers[..] else { panic!("six numbers") };
        let count = acked.len() as u64;
        assert_eq!(produced, count + held + overflow + volatile, "device {device}: {numbers:?} {acked:?}");
        // Marks begin again with each epoch: also of a device that lost its buffer when nothing was in it.
        let mark = live.max(backfill);
        assert!(
            is_volatile || acked.last().is_none_or(|last| u64::from(*last) < mark),
            "device {device}: {numbers:?} {acked:?}"
        );
        let stored = seen.stored.get(&device);
        let there = |index: &u32| stored.is_some_and(|stored| stored.contains(index));
        assert!(acked.iter().all(there), "device {device}: {acked:?}, stored {stored:?}");
        let found = [produced, count, held, overflow, volatile];
        sums.iter_mut().zip(found).for_each(|(sum, n)| *sum += n);
    }
    let totals =
        ["produced", "acked", "buffered", "lostOverflow", "lostVolatile"].map(|key| number(report, key));
    assert_eq!(sums, totals);
}

/// Runs with accounts, to a good end: the report.
pub fn report_with_accounts(setup: &mut Setup) -> Value {
    setup.config["ledger"] = json!(setup.path("ledger"));
    let output = setup.run(&[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    read_json(&setup.path("report.json"))
}
