//! What a decision of the dam costs, with peers side by side.
//!
//! `cargo bench -p klais-dam` prints a table; with `-- --json` one JSON object per contender. `--samples N` and
//! `--quick` change how long it takes. Samples are taken in turn over all contenders, forwards and backwards (ABBA),
//! so that a noisy minute does not fall on one of them. A sample is the median of its slices, each shorter than a time
//! slice of the scheduler: on a busy machine the time given to other processes does not count. Passes and refusals are
//! never mixed: every contender states which it measures, and asserts that all its operations were that.
#![forbid(unsafe_code)]

#[path = "dam/contenders.rs"]
mod contenders;
#[path = "dam/peers.rs"]
mod peers;
#[path = "dam/table.rs"]
mod table;

/// One thing that is measured.
pub(crate) struct Contender {
    /// Stable name, for baselines.
    pub(crate) name: String,
    /// Where the time of a decision comes from.
    pub(crate) time_source: &'static str,
    /// The share of operations that pass, which `run` has asserted.
    pub(crate) pass_share: f64,
    pub(crate) unit: Unit,
    /// Takes one sample: how many operations, and in how many nanoseconds.
    pub(crate) run: Box<dyn FnMut() -> Sample>,
}

pub(crate) struct Sample {
    pub(crate) operations: u64,
    pub(crate) nanos: u64,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    NanosPerOperation,
    PassesPerSecond,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NanosPerOperation => "ns/op",
            Self::PassesPerSecond => "passes/s",
        }
    }

    pub(crate) fn better(self) -> &'static str {
        match self {
            Self::NanosPerOperation => "lower",
            Self::PassesPerSecond => "higher",
        }
    }

    pub(crate) fn value(self, sample: &Sample) -> f64 {
        let nanos = sample.nanos as f64 / sample.operations as f64;
        match self {
            Self::NanosPerOperation => nanos,
            Self::PassesPerSecond => 1e9 / nanos,
        }
    }
}

struct Options {
    json: bool,
    samples: usize,
    /// Operations per sample, of most contenders.
    operations: u64,
    devices: u32,
}

fn options() -> Result<Options, String> {
    let mut options = Options { json: false, samples: 15, operations: 1 << 20, devices: 10_000_000 };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--json" => options.json = true,
            "--quick" => {
                options.samples = 3;
                options.operations = 1 << 16;
                options.devices = 100_000;
            }
            "--samples" => {
                let samples = arguments.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0);
                options.samples = samples.ok_or("--samples needs a number from 1")?;
            }
            // Cargo's own.
            "--bench" => {}
            other => return Err(format!("unknown argument {other}: --json, --quick or --samples N")),
        }
    }
    Ok(options)
}

fn main() {
    let options = options().unwrap_or_else(|message| {
        eprintln!("{message}");
        std::process::exit(2);
    });
    let mut contenders = contenders::all(options.operations, options.devices);
    contenders.extend(peers::all(options.operations, options.devices));
    let mut samples = vec![Vec::new(); contenders.len()];
    // The first round warms caches, pages and branch predictors, and is not kept.
    for round in 0..=options.samples {
        let forwards: Vec<usize> = (0..contenders.len()).collect();
        let order: Vec<usize> = if round % 2 == 0 { forwards } else { forwards.into_iter().rev().collect() };
        for n in order {
            let contender = &mut contenders[n];
            let value = contender.unit.value(&(contender.run)());
            if round > 0 {
                samples[n].push(value);
            }
        }
    }
    if options.json {
        table::print_json(&contenders, &samples);
    } else {
        table::print(&contenders, &samples);
    }
}
