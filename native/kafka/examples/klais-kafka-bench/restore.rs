//! How long a takeover takes: all shards at once, each with its part of the marks.

use crate::{Arguments, load, now, say};
use klais_burst_sync::Lane;
use klais_kafka::{Batch, Entry, KafkaConfig, KafkaSink, Outcome, SinkEvent};
use serde_json::json;
use std::error::Error;
use std::sync::Arc;

/// Marks in a transaction.
const BATCH: u32 = 20_000;

pub fn measure(arguments: &Arguments, config: &KafkaConfig, marks: u32) -> Result<(), Box<dyn Error>> {
    let mut sink = KafkaSink::new(config.clone())?;
    open_all(&mut sink, config.shards)?;
    let each = marks / u32::from(config.shards);
    for shard in 0..config.shards {
        for begin in (0..each).step_by(BATCH as usize) {
            let entries = (begin..each.min(begin + BATCH)).map(|n| mark(n, shard, config.shards)).collect();
            sink.submit(Batch { shard, batch: begin, claim: None, entries });
            match load::next(&mut sink)? {
                SinkEvent::Decided { outcome: Outcome::Committed, .. } => {}
                other => return Err(format!("{other:?}").into()),
            }
        }
    }
    drop(sink);
    for round in 0..arguments.rounds {
        // A process that has just started.
        let mut sink = KafkaSink::new(config.clone())?;
        let began = now();
        let restored = open_all(&mut sink, config.shards)?;
        let opened = now() - began;
        for shard in 0..config.shards {
            sink.submit(Batch { shard, batch: 0, claim: Some(round + 1), entries: Arc::new([]) });
        }
        for _ in 0..config.shards {
            load::next(&mut sink)?;
        }
        say(&json!({
            "case": "takeover",
            "round": round,
            "shards": config.shards,
            "marks": restored,
            "secondsToMarks": opened,
            "secondsToFirstCommit": now() - began,
        }));
    }
    Ok(())
}

fn open_all(sink: &mut KafkaSink<Arc<[u8]>>, shards: u16) -> Result<usize, Box<dyn Error>> {
    for shard in 0..shards {
        sink.open(shard);
    }
    let mut marks = 0;
    for _ in 0..shards {
        match load::next(sink)? {
            SinkEvent::Opened { checkpoints, .. } => marks += checkpoints.len(),
            other => return Err(format!("{other:?}").into()),
        }
    }
    Ok(marks)
}

fn mark(n: u32, shard: u16, shards: u16) -> Entry<Arc<[u8]>> {
    Entry {
        device: n * u32::from(shards) + u32::from(shard),
        epoch: 1,
        session: 1,
        lane: Lane::Live,
        first: 0,
        count: 0,
        stride: 1,
        end: n,
        event_millis: 0,
        event_step_millis: 0,
        payload: Arc::new([]),
    }
}
