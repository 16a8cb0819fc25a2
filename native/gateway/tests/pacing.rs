//! The sink never receives more history than its capacity, over any time.

mod common;

use common::chance::Chance;
use common::{SECOND, arrive, config, data, gateway, hello, sent, submissions};
use klais_burst_sync::{Frame, Lane};
use klais_gateway::{GatewayConfig, Outcome};
use std::collections::VecDeque;

/// A device that sends what it may as soon as it may.
struct Sender {
    mark: u32,
    sent: u32,
    backlog: u32,
}

/// What reached the sink: (when, live readings, old readings).
type Log = Vec<(u64, u64, u64)>;

/// Runs greedy devices with endless backlogs, and live readings at `live_per_second`, against a sink that commits
/// after `latency`.
fn run(config: &GatewayConfig, frame: u32, live_per_second: u64, latency: u64, seconds: u64) -> Log {
    let devices = config.dam.devices;
    let mut gateway = gateway(config);
    let mut senders: Vec<Sender> = (0..devices).map(|_| Sender { mark: 0, sent: 0, backlog: 0 }).collect();
    let mut sessions = vec![0u16; devices as usize];
    let mut outcomes = VecDeque::new();
    let mut log = Log::new();
    let mut live = 0;
    for step in 0..seconds * 100 {
        let now = step * SECOND / 100;
        while outcomes.front().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, batch)) = outcomes.pop_front() {
                gateway.sink_outcome(now, batch, Outcome::Committed);
            }
        }
        for device in 0..devices {
            let sender = &mut senders[device as usize];
            if sender.backlog < frame {
                sender.backlog = 60_000;
                sessions[device as usize] += 1;
                arrive(&mut gateway, now, device, &hello(sessions[device as usize], 0, 60_000));
            }
            let session = sessions[device as usize];
            // What was dropped is sent again after half a second.
            if step % 50 == 0 {
                sender.sent = sender.mark;
            }
            // A second's worth is always on offer.
            let window = config.capacity_per_second as u32 + 2 * frame;
            while sender.sent < sender.mark + window {
                let first = sender.sent;
                arrive(
                    &mut gateway,
                    now,
                    device,
                    &data(session, Lane::Backfill, first, first, first + frame),
                );
                sender.sent += frame;
            }
        }
        while live < live_per_second * now / SECOND {
            let first = live as u32;
            arrive(&mut gateway, now, 0, &data(sessions[0], Lane::Live, first, first, first + 1));
            live += 1;
        }
        gateway.poll(now);
        for submission in submissions(&mut gateway) {
            let of =
                |lane| submission.entries.iter().filter(|e| e.lane == lane).map(|e| u64::from(e.count)).sum();
            log.push((submission.at, of(Lane::Live), of(Lane::Backfill)));
            for entry in submission.entries.iter().filter(|e| e.lane == Lane::Backfill) {
                let sender = &mut senders[entry.device as usize];
                sender.mark = sender.mark.max(entry.end);
                sender.backlog = sender.backlog.saturating_sub(u32::from(entry.count));
            }
            outcomes.push_back((now + latency, submission.batch));
        }
        for (device, frame) in sent(&mut gateway) {
            // Sent away, called, or admitted anew: it goes on from what the gateway has.
            match frame {
                Frame::Nack(nack) if nack.lane == Lane::Backfill => {
                    senders[device as usize].sent = nack.mark;
                }
                Frame::Admit(_) => senders[device as usize].sent = senders[device as usize].mark,
                _ => {}
            }
        }
    }
    log
}

fn paced(chance: &mut Chance) -> (GatewayConfig, u32, u64) {
    let capacity = chance.pick(&[1, 7, 28, 113, 1_000, 2_500]);
    let mut config = config(chance.between(1, 6) as u32);
    config.capacity_per_second = capacity;
    config.commit_interval_micros = chance.pick(&[10_000, 100_000, 500_000]);
    config.commit_offset_micros = chance.below(config.commit_interval_micros);
    config.shards = chance.between(1, 4) as u32;
    let frame = chance.pick(&[1, 16, 64, 255]);
    // The filter in front would pace as well: here the gateway has to do it alone.
    config.dam.live = None;
    config.dam.global = None;
    config.dam.backfill = Some(klais_dam::Limit::per_second(capacity, capacity));
    config.batch_readings_max = 10_000;
    config.backfill_queue_readings = (capacity * 4).max(2 * u64::from(frame));
    let live = capacity * chance.pick(&[0, 0, 30, 80]) / 100;
    (config, frame, live)
}

#[test]
fn the_sink_gets_no_more_than_the_paced_capacity_over_any_window() {
    for seed in 0..40 {
        let mut chance = Chance::new(seed);
        let (config, frame, live) = paced(&mut chance);
        let capacity = config.capacity_per_second;
        let latency = chance.pick(&[20_000, 300_000]);
        let log = run(&config, frame, live, latency, 90);
        // Unused budget is kept for four intervals, and the last frame begun is sent whole.
        let burst = capacity * 4 * config.commit_interval_micros / SECOND + u64::from(frame) + 1;
        for (n, (from, ..)) in log.iter().enumerate() {
            let mut sum = 0;
            for (at, fresh, old) in &log[n..] {
                sum += fresh + old;
                // Fresh readings go at once; history makes up for them, but for a burst of them not in full.
                let forgiven = if live == 0 { 0 } else { (sum - fresh) / 20 };
                let most = burst + capacity * (at - from) / SECOND + forgiven;
                assert!(
                    *old == 0 || sum - fresh <= most,
                    "seed {seed}: {sum} from {from} to {at}, at most {most}; {capacity}/s, frames of {frame}"
                );
            }
        }
    }
}

#[test]
fn and_all_of_the_capacity_is_used_while_history_waits() {
    for seed in 0..20 {
        let mut chance = Chance::new(seed);
        let (config, frame, live) = paced(&mut chance);
        let latency = config.commit_interval_micros / 2;
        let log = run(&config, frame, live, latency, 120);
        let total: u64 = log.iter().filter(|(at, ..)| *at >= 30 * SECOND).map(|(_, f, o)| f + o).sum();
        let possible = config.capacity_per_second * 90;
        let slack = 2 * u64::from(frame) + possible / 20;
        assert!(total + slack >= possible, "seed {seed}: {total} of {possible} in 90 s, {config:?}");
    }
}

#[test]
fn slots_lie_as_far_apart_as_the_work_that_they_stand_for() {
    let mut gateway = gateway(&config(100));
    let mut expected = 0;
    for device in 0..100 {
        arrive(&mut gateway, 0, device, &hello(1, 0, 500));
        let Some((_, Frame::Admit(admit))) = sent(&mut gateway).pop() else { panic!("no ADMIT") };
        let delay = u64::from(admit.backfill_delay_millis);
        assert!(delay.abs_diff(expected) <= 2, "device {device}: {delay} ms, expected {expected}");
        // 500 readings at 1,000 a second.
        expected += 500;
    }
}
