//! How the samples are shown.

use crate::{Contender, Unit};

/// One JSON object per contender.
pub(crate) fn print_json(contenders: &[Contender], samples: &[Vec<f64>]) {
    for (contender, samples) in contenders.iter().zip(samples) {
        let samples: Vec<String> = samples.iter().map(|value| format!("{value:.3}")).collect();
        println!(
            r#"{{"name":"{}","unit":"{}","better":"{}","samples":[{}],"environment":{{"timeSource":"{}","passShare":{}}}}}"#,
            contender.name,
            contender.unit.name(),
            contender.unit.better(),
            samples.join(","),
            contender.time_source,
            contender.pass_share,
        );
    }
}

/// A table for people: best and median of the samples.
pub(crate) fn print(contenders: &[Contender], samples: &[Vec<f64>]) {
    println!(
        "{:<62} {:>12} {:>12} {:<9} {:>7}  time source",
        "contender", "best", "median", "unit", "passed"
    );
    for (contender, samples) in contenders.iter().zip(samples) {
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        let best = match contender.unit {
            Unit::NanosPerOperation => sorted[0],
            Unit::PassesPerSecond => sorted[sorted.len() - 1],
        };
        println!(
            "{:<62} {:>12} {:>12} {:<9} {:>6.0}%  {}",
            contender.name,
            show(contender.unit, best),
            show(contender.unit, median),
            contender.unit.name(),
            contender.pass_share * 100.0,
            contender.time_source
        );
    }
    println!(
        "\n{} samples each, taken in turn (ABBA); every operation of a row passed or, at 0 %, was refused.",
        samples[0].len()
    );
}

fn show(unit: Unit, value: f64) -> String {
    match unit {
        Unit::NanosPerOperation => format!("{value:.2}"),
        Unit::PassesPerSecond => format!("{:.2} M", value / 1e6),
    }
}
