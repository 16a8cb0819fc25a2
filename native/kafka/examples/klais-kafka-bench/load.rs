//! The sink under load: on every shard one transaction is under way, and the next is submitted when it is decided.

use crate::{Arguments, Measured, now};
use hdrhistogram::Histogram;
use klais_burst_sync::Lane;
use klais_kafka::{Batch, Entry, KafkaConfig, KafkaSink, Outcome, SinkEvent};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

type Bytes = Arc<[u8]>;

pub fn measure(
    arguments: &Arguments,
    config: KafkaConfig,
    time: Duration,
) -> Result<Measured, Box<dyn Error>> {
    let shards = config.shards;
    let mut sink = KafkaSink::<Bytes>::new(config)?;
    let entries: Vec<Arc<[Entry<Bytes>]>> = (0..shards).map(|shard| entries(arguments, shard)).collect();
    for shard in 0..shards {
        sink.open(shard);
        match next(&mut sink)? {
            SinkEvent::Opened { .. } => {}
            other => return Err(format!("{other:?}").into()),
        }
    }
    let mut micros = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3)?;
    let (begin, mut readings, mut batches) = (now(), 0, 0);
    let mut began = vec![begin; shards.into()];
    for shard in 0..shards {
        submit(&mut sink, &entries, shard, &mut batches);
    }
    let mut end = begin;
    while sink.undecided() > 0 {
        let SinkEvent::Decided { shard, outcome: Outcome::Committed, .. } = next(&mut sink)? else {
            return Err("a transaction has failed".into());
        };
        end = now();
        readings += u64::from(arguments.batch);
        if let Some(began) = began.get_mut(usize::from(shard)) {
            micros.saturating_record(((end - *began) * 1e6) as u64);
            *began = end;
        }
        if end - begin < time.as_secs_f64() {
            submit(&mut sink, &entries, shard, &mut batches);
        }
    }
    let (p50, p99) = (micros.value_at_quantile(0.5), micros.value_at_quantile(0.99));
    Ok(Measured { readings, seconds: end - begin, p50, p99 })
}

fn submit(sink: &mut KafkaSink<Bytes>, entries: &[Arc<[Entry<Bytes>]>], shard: u16, batches: &mut u32) {
    if let Some(entries) = entries.get(usize::from(shard)) {
        *batches += 1;
        sink.submit(Batch { shard, batch: *batches, claim: None, entries: Arc::clone(entries) });
    }
}

/// A batch of runs, a device each.
fn entries(arguments: &Arguments, shard: u16) -> Arc<[Entry<Bytes>]> {
    let payload: Bytes = noise(arguments.bytes * usize::from(arguments.run)).into();
    let runs = arguments.batch.div_ceil(arguments.run.into());
    let entry = |n: u32| {
        let left = arguments.batch - n * u32::from(arguments.run);
        let count = left.min(arguments.run.into()) as u16;
        let bytes = usize::from(count) * arguments.bytes;
        Entry {
            device: n * u32::from(arguments.producers) + u32::from(shard),
            epoch: 1,
            session: 1,
            lane: Lane::Live,
            first: 0,
            count,
            stride: 1,
            end: count.into(),
            event_millis: 1_700_000_000_000,
            event_step_millis: 1,
            payload: if bytes == payload.len() { Arc::clone(&payload) } else { payload[..bytes].into() },
        }
    };
    (0..runs).map(entry).collect()
}

/// Bytes that do not compress, the same ones always (Marsaglia's xorshift64).
pub fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..bytes).map(|_| next()).collect()
}

pub fn next(sink: &mut KafkaSink<Bytes>) -> Result<SinkEvent, Box<dyn Error>> {
    loop {
        if let Some(event) = sink.event() {
            return Ok(event);
        }
        let mut polled = [PollFd::new(sink.bell(), PollFlags::POLLIN)];
        if poll(&mut polled, PollTimeout::try_from(Duration::from_secs(60))?)? == 0 {
            return Err("the sink says nothing for a minute".into());
        }
    }
}
