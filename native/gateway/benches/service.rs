//! What a frame costs a gateway in user space, from its bytes to those of its answer; sockets apart.
//!
//! `cargo bench -p klais-gateway` prints a table; with `-- --json` one JSON object a row; `--quick` takes small sizes.
//! Devices come in no order out of a million. Samples are taken in turn over all rows, forwards and backwards; a sample is
//! the median of its slices, each shorter than a time slice of the scheduler. Every frame of a row must meet the end that
//! the row is named after.
#![forbid(unsafe_code)]

#[path = "service/rows.rs"]
mod rows;

use rows::Row;

struct Options {
    is_json: bool,
    samples: usize,
    devices: u32,
}

fn options() -> Result<Options, String> {
    let mut options = Options { is_json: false, samples: 9, devices: 1_000_000 };
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--json" => options.is_json = true,
            "--quick" => (options.samples, options.devices) = (2, 20_000),
            // Cargo's own.
            "--bench" => {}
            other => return Err(format!("unknown argument {other}: --json or --quick")),
        }
    }
    Ok(options)
}

fn main() {
    let options = options().unwrap_or_else(|message| {
        eprintln!("{message}");
        std::process::exit(2);
    });
    let mut rows = rows::all(options.devices);
    let mut samples = vec![Vec::new(); rows.len()];
    // The first round warms up, and is not kept.
    for round in 0..=options.samples {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for n in order {
            let nanos = rows[n].sample();
            if round > 0 {
                samples[n].push(nanos);
            }
        }
    }
    for (row, samples) in rows.iter().zip(&samples) {
        print(row, samples, &options);
    }
}

fn print(row: &Row, samples: &[f64], options: &Options) {
    if options.is_json {
        let samples: Vec<String> = samples.iter().map(|nanos| format!("{nanos:.1}")).collect();
        println!(
            r#"{{"name":"{}","unit":"ns/frame","better":"lower","samples":[{}],"environment":{{"devices":"{}","time":"wall time; a sample is the median of its slices"}}}}"#,
            row.name,
            samples.join(","),
            options.devices
        );
        return;
    }
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    println!("{:<44} best {:>7.0}  median {:>7.0}  ns/frame", row.name, sorted[0], sorted[sorted.len() / 2]);
}
