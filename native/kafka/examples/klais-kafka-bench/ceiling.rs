//! The client's own ceiling: nothing between it and the records.

use crate::{Arguments, Measured, Packing, now};
use hdrhistogram::Histogram;
use klais_kafka::KafkaConfig;
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use std::error::Error;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_micros(200);
/// Records in a plain loop's request, if its bytes do not come first: the client's own default.
const PLAIN_REQUEST: u32 = 10_000;

/// One producer's records: what does not change from one to the next.
struct Plan<'a> {
    arguments: &'a Arguments,
    topic: &'a str,
    partition: u16,
    shape: Shape,
}

/// What kind of loop it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub transactions: bool,
    pub headers: bool,
    /// As the sink does it: no request is completed before the one before it is answered.
    pub paced: bool,
}

/// Tells what fails.
struct Context;

impl ClientContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            eprintln!("a record has failed: {error}");
        }
    }
}

pub fn measure(
    arguments: &Arguments,
    config: &KafkaConfig,
    shape: Shape,
    time: Duration,
) -> Result<Measured, Box<dyn Error>> {
    let ready = Barrier::new(arguments.producers.into());
    let results: Vec<_> = thread::scope(|scope| {
        let ready = &ready;
        let producers: Vec<_> = (0..arguments.producers)
            .map(|partition| {
                let topic = &config.data_topic;
                let plan = Plan { arguments, topic, partition, shape };
                scope.spawn(move || {
                    let producer = producer(&plan, config);
                    ready.wait();
                    producer.and_then(|producer| run(&plan, &producer, time))
                })
            })
            .collect();
        producers.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    let mut micros = Histogram::<u64>::new_with_bounds(1, 600_000_000, 3)?;
    let (mut readings, mut seconds) = (0, 0.0_f64);
    for result in results {
        let (count, took, latencies) = result.map_err(|_| "a producer's thread has panicked")??;
        readings += count;
        seconds = seconds.max(took);
        micros.add(latencies)?;
    }
    Ok(Measured {
        readings,
        seconds,
        p50: micros.value_at_quantile(0.5),
        p99: micros.value_at_quantile(0.99),
    })
}

fn producer(plan: &Plan<'_>, config: &KafkaConfig) -> Result<BaseProducer<Context>, KafkaError> {
    let mut client = ClientConfig::new();
    let (linger, request) = if plan.shape.paced {
        (config.linger_millis, config.request_records_max)
    } else {
        (plan.arguments.plain_linger, PLAIN_REQUEST)
    };
    client
        .set("bootstrap.servers", &config.brokers)
        .set("enable.idempotence", "true")
        .set("delivery.report.only.error", "true")
        .set("linger.ms", linger.to_string())
        .set("batch.size", config.batch_bytes.to_string())
        .set("batch.num.messages", request.to_string())
        .set("queue.buffering.max.messages", "200000")
        .set("queue.buffering.max.kbytes", "262144")
        .set(
            "compression.type",
            match plan.arguments.compression {
                Packing::None => "none",
                Packing::Lz4 => "lz4",
                Packing::Snappy => "snappy",
            },
        );
    if plan.shape.transactions {
        client.set("transactional.id", format!("{}-ceiling-{}", config.prefix, plan.partition));
    }
    let producer: BaseProducer<Context> = client.create_with_context(Context)?;
    if plan.shape.transactions {
        producer.init_transactions(LONG)?;
    }
    Ok(producer)
}

fn run(
    plan: &Plan<'_>,
    producer: &BaseProducer<Context>,
    time: Duration,
) -> Result<(u64, f64, Histogram<u64>), KafkaError> {
    let bytes = crate::load::noise(plan.arguments.bytes * usize::from(plan.arguments.run));
    let mut micros =
        Histogram::<u64>::new_with_bounds(1, 600_000_000, 3).map_err(|_| KafkaError::Canceled)?;
    let (begin, mut readings) = (now(), 0);
    loop {
        let began = now();
        if began - begin >= time.as_secs_f64() {
            return Ok((readings, began - begin, micros));
        }
        if plan.shape.transactions {
            producer.begin_transaction()?;
        }
        for n in 0..plan.arguments.batch {
            if plan.shape.paced && n > 0 && n.is_multiple_of(plan.arguments.request) {
                settle(producer);
            }
            send(plan, producer, &bytes, n)?;
        }
        settle(producer);
        if plan.shape.transactions {
            producer.commit_transaction(LONG)?;
        }
        readings += u64::from(plan.arguments.batch);
        micros.saturating_record(((now() - began) * 1e6) as u64);
    }
}

/// Waits until everything is delivered.
fn settle(producer: &BaseProducer<Context>) {
    while producer.in_flight_count() > 0 {
        let _ = producer.flush(Duration::ZERO);
        producer.poll(Duration::ZERO);
        thread::park_timeout(LOOK);
    }
}

fn send(plan: &Plan<'_>, producer: &BaseProducer<Context>, bytes: &[u8], n: u32) -> Result<(), KafkaError> {
    let run = u32::from(plan.arguments.run);
    let device = (n / run).to_be_bytes();
    let key = [device[0], device[1], device[2], device[3], 0];
    let place = (n % run) as usize * plan.arguments.bytes;
    let mut record = BaseRecord::to(plan.topic)
        .partition(plan.partition.into())
        .key(&key[..])
        .payload(&bytes[place..place + plan.arguments.bytes]);
    if plan.shape.headers {
        let headers = OwnedHeaders::new_with_capacity(5)
            .insert(Header { key: "d", value: Some(&device) })
            .insert(Header { key: "e", value: Some(&1_u16.to_be_bytes()) })
            .insert(Header { key: "l", value: Some(&[0]) })
            .insert(Header { key: "s", value: Some(&n.to_be_bytes()) })
            .insert(Header { key: "t", value: Some(&(1_700_000_000_000 + u64::from(n)).to_be_bytes()) });
        record = record.headers(headers);
    }
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), unsent)) => {
                producer.poll(Duration::ZERO);
                thread::park_timeout(LOOK);
                record = unsent;
            }
            Err((error, _)) => return Err(error),
        }
    }
}
