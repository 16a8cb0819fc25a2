//! The forecaster on the catalogue's outages: settings were tuned on the storm, the shutoff is held out.

#[path = "../benches/forecast/measures.rs"]
mod measures;
#[path = "../benches/forecast/ours.rs"]
mod ours;
#[path = "../benches/forecast/simple.rs"]
mod simple;
#[path = "../benches/forecast/trace.rs"]
mod trace;

use measures::{Says, Score, score};
use trace::{LEAD, Trace};

fn trace(name: &str) -> Trace {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../src/scenarios/catalogue");
    Trace::read(name, &format!("{folder}/{name}.cohorts.csv")).expect("the catalogue's own file")
}

fn ours_on(held_out: &Trace, tune: &Trace) -> Score {
    score(held_out, &ours::says(held_out, ours::reads(tune)), None)
}

#[test]
fn the_band_holds_where_nothing_was_tuned() {
    let (storm, shutoff) = (trace("storm-2021-01-26"), trace("psps-2019-10-25"));
    let covered = ours_on(&shutoff, &storm).coverage.expect("devices are silent");
    assert!((0.85..=0.95).contains(&covered), "{covered}");
}

#[test]
fn the_load_of_busy_times_is_foretold_better_than_from_its_own_past() {
    let (storm, shutoff) = (trace("storm-2021-01-26"), trace("psps-2019-10-25"));
    let ours = ours_on(&shutoff, &storm).busy_error.expect("it is busy");
    for method in simple::fitted(&storm) {
        let simple = score(&shutoff, &method.says(&shutoff.loads()), None).busy_error.expect("it is busy");
        assert!(ours < simple, "{ours}, {} {simple}", method.name);
    }
}

#[test]
fn whoever_knows_the_future_has_no_error() {
    let storm = trace("storm-2021-01-26");
    let loads = storm.loads();
    let ahead: Vec<f64> = (0..loads.len()).map(|now| loads.get(now + LEAD).copied().unwrap_or(0.0)).collect();
    let says = Says { load: ahead.clone(), stated: ahead.clone(), low: ahead.clone(), high: ahead };
    let score = score(&storm, &says, Some((&storm, &says)));
    assert!(score.peaks > 0 && score.seen_before.is_some_and(|share| share < 1.0), "{score:?}");
    assert_eq!([score.peak_error, score.busy_error, score.false_alarms_per_day], [Some(0.0); 3]);
    assert_eq!([score.coverage, score.busy_coverage], [Some(1.0); 2]);
    assert!(score.lead_minutes.is_some(), "{score:?}");
}

#[test]
fn each_day_of_loss_is_a_trace_of_its_own() {
    let storm = trace("storm-2021-01-26");
    let parts = storm.by_day_of_loss();
    assert!(parts.len() > 1 && parts.iter().all(|part| part.is_part && part.fleet <= storm.fleet));
}
