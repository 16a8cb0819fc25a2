//! What a tool found out: a table for people, one JSON object a line for programs.

use std::collections::BTreeMap;
use std::io::Write;

use serde::Serialize;

use crate::error::ToolError;

/// Which of the samples is held against what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judged {
    /// The lowest: what the code costs when nobody disturbs it.
    Best,
    /// The middle: for ratios, which noise may push either way.
    Median,
}

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Stable, for baselines.
    pub name: String,
    pub unit: &'static str,
    pub better: &'static str,
    /// One per round.
    pub samples: Vec<f64>,
    /// The most that the issue allows, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<f64>,
    pub judged: Judged,
    /// How it came about.
    pub environment: BTreeMap<&'static str, String>,
}

impl Record {
    /// A cost in nanoseconds.
    pub fn nanos(name: impl Into<String>, samples: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            unit: "ns/packet",
            better: "lower",
            samples,
            wanted: None,
            judged: Judged::Best,
            environment: BTreeMap::new(),
        }
    }

    /// One cost over another.
    pub fn ratio(name: impl Into<String>, samples: Vec<f64>) -> Self {
        Self { unit: "ratio", judged: Judged::Median, ..Self::nanos(name, samples) }
    }

    pub fn wanting(mut self, at_most: f64) -> Self {
        self.wanted = Some(at_most);
        self
    }

    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.environment.insert(key, value.to_string());
        self
    }

    /// The sample that counts.
    pub fn figure(&self) -> f64 {
        match self.judged {
            Judged::Best => least(&self.samples),
            Judged::Median => median(&self.samples),
        }
    }
}

/// The least of some numbers; infinity of none.
pub fn least(numbers: &[f64]) -> f64 {
    numbers.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The middle of some numbers; of two middles, the mean. NaN of none.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// Prints them.
pub fn print(records: &[Record], as_json: bool) -> Result<(), ToolError> {
    let mut out = std::io::stdout().lock();
    for record in records {
        let line = if as_json {
            serde_json::to_string(record).map_err(ToolError::system("a record as JSON"))?
        } else {
            row(record)
        };
        writeln!(out, "{line}").map_err(ToolError::system("printing"))?;
    }
    Ok(())
}

fn row(record: &Record) -> String {
    let best = least(&record.samples);
    let wanted = record.wanted.map_or(String::new(), |wanted| {
        let verdict = if record.figure() <= wanted { "met" } else { "MISSED" };
        format!("  wanted {wanted:.3}: {verdict}")
    });
    let (middle, unit) = (median(&record.samples), record.unit);
    format!("{:<58} best {best:>9.3}  median {middle:>9.3}  {unit}{wanted}", record.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_judged_by_the_best_sample_and_ratios_by_the_middle_one() {
        let samples = vec![3.0, 1.0, 2.0, 9.0];
        assert!((Record::nanos("x", samples.clone()).figure() - 1.0).abs() < f64::EPSILON);
        assert!((Record::ratio("x", samples).figure() - 2.5).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_row_says_whether_it_is_what_was_wanted() {
        let record = Record::nanos("x", vec![30.0, 40.0]);
        assert!(row(&record.clone().wanting(30.0)).ends_with("wanted 30.000: met"));
        assert!(row(&record.clone().wanting(29.9)).ends_with("wanted 29.900: MISSED"));
        assert!(!row(&record).contains("wanted"));
    }
}
