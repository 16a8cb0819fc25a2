//! What the sink makes of the client, and what exactly-once costs: the client's own ceilings and the sink's throughput,
//! in turns, against one broker. One JSON object a line on standard output.
//!
//! A ceiling is the plainest loop that the client allows: the same records to the same number of partitions by the same
//! number of producers, in transactions of the same size, with the same settings; the marks are the sink's alone.
#![forbid(unsafe_code)]

mod ceiling;
mod load;
mod restore;
mod topics;

use ceiling::Shape;
use clap::{Parser, ValueEnum};
use klais_kafka::{Compression, KafkaConfig};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::error::Error;
use std::time::Duration;

/// Throughput of Kafka's client and of the sink, side by side.
#[derive(Clone, Parser)]
struct Arguments {
    /// Broker: host:port.
    #[arg(long)]
    brokers: String,
    /// Producers, each with a partition of its own: the sink's shards.
    #[arg(long, default_value_t = 4)]
    producers: u16,
    /// Readings in a transaction.
    #[arg(long, default_value_t = 20_000)]
    batch: u32,
    /// Readings of one device in a row.
    #[arg(long, default_value_t = 16)]
    run: u16,
    /// Bytes of a reading.
    #[arg(long, default_value_t = 100)]
    bytes: usize,
    /// How long each is measured, each time.
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// How often.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// How long the client waits for more before it sends, milliseconds: in the sink.
    #[arg(long, default_value_t = 20)]
    linger: u32,
    /// And in the plain loops.
    #[arg(long, default_value_t = 5)]
    plain_linger: u32,
    /// Records in a request of the sink, and of the paced loops.
    #[arg(long, default_value_t = 2_000)]
    request: u32,
    /// How batches are packed.
    #[arg(long, value_enum, default_value_t = Packing::None)]
    compression: Packing,
    /// Only these, by name.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// In place of all that: stores so many marks, then takes all shards at once.
    #[arg(long)]
    restore: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Packing {
    None,
    Lz4,
    Snappy,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    /// A loop over the client.
    Ceiling(Shape),
    /// The sink.
    Sink { transactions: bool },
}

const fn ceiling(transactions: bool, headers: bool, paced: bool) -> Case {
    Case::Ceiling(Shape { transactions, headers, paced })
}

const CASES: [(&str, Case); 10] = [
    ("idempotent", ceiling(false, false, false)),
    ("idempotent-paced", ceiling(false, false, true)),
    ("idempotent-headers", ceiling(false, true, false)),
    ("idempotent-headers-paced", ceiling(false, true, true)),
    ("transactional", ceiling(true, false, false)),
    ("transactional-paced", ceiling(true, false, true)),
    ("transactional-headers", ceiling(true, true, false)),
    ("transactional-headers-paced", ceiling(true, true, true)),
    ("sink-without-transactions", Case::Sink { transactions: false }),
    ("sink-exactly-once", Case::Sink { transactions: true }),
];

/// What was measured.
struct Measured {
    readings: u64,
    seconds: f64,
    /// From submission, or the first record, to the commit, microseconds.
    p50: u64,
    p99: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let config = configuration(&arguments);
    topics::make(&config)?;
    if let Some(marks) = arguments.restore {
        restore::measure(&arguments, &config, marks)?;
        return topics::remove(&config);
    }
    let cases: Vec<_> = CASES
        .iter()
        .filter(|(name, _)| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name))
        .collect();
    let mut rates: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
    for round in 0..arguments.rounds {
        // Each round the other way round: what comes first has no advantage.
        let mut order: Vec<usize> = (0..cases.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for n in order {
            let (name, case) = cases[n];
            let cpu = cpu_seconds();
            // A loop that comes to no end in time measures nothing; the others go on.
            let (rate, line) = match measure(&arguments, &config, *case) {
                Ok(measured) => told(name, round, &measured, cpu_seconds() - cpu),
                Err(error) => (f64::NAN, json!({ "case": name, "round": round, "error": error.to_string() })),
            };
            rates[n].push(rate);
            say(&line);
        }
    }
    summary(&arguments, &cases, &rates);
    topics::remove(&config)?;
    Ok(())
}

fn told(name: &str, round: u32, measured: &Measured, cpu_seconds: f64) -> (f64, Value) {
    let rate = measured.readings as f64 / measured.seconds;
    let line = json!({
        "case": name,
        "round": round,
        "readings": measured.readings,
        "seconds": measured.seconds,
        "readingsPerSecond": rate,
        "transactionMicrosP50": measured.p50,
        "transactionMicrosP99": measured.p99,
        "clientCpuNanosPerReading": cpu_seconds * 1e9 / measured.readings as f64,
    });
    (rate, line)
}

fn configuration(arguments: &Arguments) -> KafkaConfig {
    let mut config = KafkaConfig::new(&arguments.brokers, arguments.producers, u32::MAX);
    let name = format!("klais-bench-{}", std::process::id());
    config.data_topic = format!("{name}-readings");
    config.checkpoint_topic = format!("{name}-checkpoints");
    config.prefix = name;
    config.linger_millis = arguments.linger;
    config.request_records_max = arguments.request;
    config.compression = match arguments.compression {
        Packing::None => Compression::None,
        Packing::Lz4 => Compression::Lz4,
        Packing::Snappy => Compression::Snappy,
    };
    // Side by side means that nobody waits for somebody else's room.
    config.undecided_readings_max = u64::from(arguments.batch) * u64::from(arguments.producers);
    config
}

fn measure(arguments: &Arguments, config: &KafkaConfig, case: Case) -> Result<Measured, Box<dyn Error>> {
    let time = Duration::from_secs(arguments.seconds);
    match case {
        Case::Ceiling(shape) => ceiling::measure(arguments, config, shape, time),
        Case::Sink { transactions } => {
            load::measure(arguments, KafkaConfig { transactions, ..config.clone() }, time)
        }
    }
}

fn summary(arguments: &Arguments, cases: &[&(&str, Case)], rates: &[Vec<f64>]) {
    let of = |name: &str| {
        cases
            .iter()
            .position(|(other, _)| *other == name)
            .and_then(|n| rates.get(n))
            .filter(|all| !all.is_empty())
    };
    // Of ratios within a round, not of medians: what the machine does meanwhile is in both. To the better of the two
    // loops, plain and paced.
    let ratio = |to: &str| {
        let paced = of(&format!("{to}-paced")).or_else(|| of(to))?;
        let best = of(to)?.iter().zip(paced).map(|(plain, paced)| plain.max(*paced));
        let pairs = of("sink-exactly-once")?.iter().zip(best);
        Some(median(&pairs.map(|(sink, other)| sink / other).collect::<Vec<_>>()))
    };
    let medians: serde_json::Map<String, Value> =
        cases.iter().zip(rates).map(|((name, _), all)| ((*name).to_owned(), json!(median(all)))).collect();
    say(&json!({
        "summary": true,
        "producers": arguments.producers,
        "batchReadings": arguments.batch,
        "runReadings": arguments.run,
        "readingBytes": arguments.bytes,
        "rounds": arguments.rounds,
        "readingsPerSecond": medians,
        "ratioToIdempotent": ratio("idempotent"),
        "ratioToIdempotentHeaders": ratio("idempotent-headers"),
        "ratioToTransactional": ratio("transactional"),
        "ratioToTransactionalHeaders": ratio("transactional-headers"),
        "ratioToWithoutTransactions": ratio("sink-without-transactions"),
    }));
}

fn median(all: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = all.iter().copied().filter(|number| number.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle.wrapping_sub(1)), sorted.get(middle)) {
        (Some(low), Some(high)) if sorted.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (_, found) => found.copied().unwrap_or(f64::NAN),
    }
}

/// Seconds of a clock.
fn seconds(clock: ClockId) -> f64 {
    clock_gettime(clock).map_or(0.0, |time| time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
}

fn cpu_seconds() -> f64 {
    seconds(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

/// Seconds of the monotonic clock.
fn now() -> f64 {
    seconds(ClockId::CLOCK_MONOTONIC)
}

fn say(line: &Value) {
    println!("{line}");
}
