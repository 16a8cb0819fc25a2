//! Forecasters side by side on outage traces. `docs/forecast.md` defines every figure.
//!
//! `cargo bench -p klais-brain --bench forecast -- --json --tune NAME=FILE [--trace NAME=FILE]… [--glitched NAME=FILE]…`
//! reads cohort files (`klais import` writes them) and prints one JSON object a line: what each forecaster did on each trace.
#![forbid(unsafe_code)]

#[path = "forecast/measures.rs"]
mod measures;
#[path = "forecast/ours.rs"]
mod ours;
#[path = "forecast/simple.rs"]
mod simple;
#[path = "forecast/trace.rs"]
mod trace;

use measures::{Score, score};
use ours::Reads;
use simple::Method;
use trace::Trace;

struct Arguments {
    tune: Option<Trace>,
    traces: Vec<Trace>,
    glitched: Vec<Trace>,
}

fn arguments() -> Result<Arguments, String> {
    let mut parsed = Arguments { tune: None, traces: Vec::new(), glitched: Vec::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        if matches!(word.as_str(), "--bench" | "--json" | "--quick") {
            continue;
        }
        let value = words.next().ok_or(format!("{word} needs NAME=FILE"))?;
        let (name, file) = value.split_once('=').ok_or(format!("expected NAME=FILE, found {value}"))?;
        let trace = Trace::read(name, file)?;
        match word.as_str() {
            "--tune" => parsed.tune = Some(trace),
            "--trace" => parsed.traces.push(trace),
            "--glitched" => parsed.glitched.push(trace),
            other => return Err(format!("{other}: expected --tune, --trace or --glitched")),
        }
    }
    Ok(parsed)
}

fn main() -> Result<(), String> {
    let Arguments { tune, traces, glitched } = arguments()?;
    let Some(tune) = tune else {
        // `cargo test --benches` and a bare `cargo bench` come by without traces: nothing to do.
        return Ok(());
    };
    let methods = simple::fitted(&tune);
    let reads = ours::reads(&tune);
    for method in &methods {
        let Method { name, reads, .. } = method;
        eprintln!("fitted on {}: {name} {:?} reading {reads:?}", tune.name, method.parameters);
    }
    eprintln!("fitted on {}: ours reading {reads:?}", tune.name);
    for trace in std::iter::once(&tune).chain(&traces) {
        compare(trace, trace.name == tune.name, &methods, reads, &glitched);
        for part in trace.by_day_of_loss() {
            compare(&part, trace.name == tune.name, &methods, reads, &[]);
        }
    }
    Ok(())
}

/// Every forecaster on one trace.
fn compare(trace: &Trace, tuned: bool, methods: &[Method], reads: Reads, glitched: &[Trace]) {
    let seen = glitched.iter().find(|each| each.name == trace.name);
    for method in methods {
        let says = method.says(&trace.loads());
        let glitchy = seen.map(|seen| method.says(&seen.loads()));
        print(trace, method.name, tuned, &score(trace, &says, seen.zip(glitchy.as_ref())));
    }
    let says = ours::says(trace, reads);
    let glitchy = seen.map(|seen| ours::says(seen, reads));
    print(trace, "ours", tuned, &score(trace, &says, seen.zip(glitchy.as_ref())));
}

fn print(trace: &Trace, forecaster: &str, tuned: bool, score: &Score) {
    let number = |value: Option<f64>| value.map_or("null".into(), |value| format!("{value:.4}"));
    println!(
        "{{\"trace\":\"{}\",\"forecaster\":\"{forecaster}\",\"tuned\":{tuned},\"part\":{},\"peaks\":{},\"seenBefore\":{},\"peakError\":{},\"busyError\":{},\"leadMinutes\":{},\"coverage90\":{},\"busyCoverage90\":{},\"falseAlarmsPerDay\":{}}}",
        trace.name,
        trace.is_part,
        score.peaks,
        number(score.seen_before),
        number(score.peak_error),
        number(score.busy_error),
        number(score.lead_minutes),
        number(score.coverage),
        number(score.busy_coverage),
        number(score.false_alarms_per_day),
    );
}
