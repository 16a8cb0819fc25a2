//! What is measured: a row per verdict.

use std::net::{Ipv4Addr, SocketAddr};

use klais_burst_sync::wire::{self, MasterKeys};

use super::stage::{Stage, emission};
use crate::cpu;
use crate::error::ToolError;
use crate::packets::{self, Route};

const SECOND: u64 = 1_000_000_000;
const HOUR: u64 = 3_600 * SECOND;
/// Units of the dam in a nanosecond, as a shift.
const UNITS: u32 = 9;
pub const MASTER: [u8; 16] = *b"a bench's master";
/// Prefixes that nobody of the row comes from, so that the trie is no single leaf.
const OTHER_PREFIXES: u32 = 1_000;

/// `enum klais_session_mode`.
const SLOTS: u8 = 2;
/// XDP actions.
pub const DROP: usize = 1;
pub const PASS: usize = 2;
pub const TX: usize = 3;

/// Sets the filter up, once per row or before each run.
pub type Arrange = fn(&mut Stage<'_>) -> Result<(), ToolError>;

/// One verdict.
pub struct Row {
    pub name: &'static str,
    /// What its packets are counted under.
    pub counter: &'static str,
    pub action: usize,
    /// At most so many nanoseconds are wanted, where anything is.
    pub wanted: Option<f64>,
    /// The packet of a device.
    pub packet: fn(&MasterKeys, u32) -> Result<Vec<u8>, ToolError>,
    /// Before the first run.
    pub arrange: Arrange,
    /// Before every run of the filter.
    pub renew: Arrange,
}

/// The keys that the packets are signed with.
pub fn keys() -> MasterKeys {
    MasterKeys::new(MASTER, 0)
}

const NOTHING: Arrange = |_| Ok(());

/// All of them.
pub fn all() -> Vec<Row> {
    let row = |name, counter, action, wanted, packet, arrange, renew| Row {
        name,
        counter,
        action,
        wanted,
        packet,
        arrange,
        renew,
    };
    let (foreign, blocked, buckets, answered) = (Some(35.0), Some(60.0), Some(130.0), Some(300.0));
    vec![
        row("foreign, ARP", "foreign-arp", PASS, foreign, arp, NOTHING, NOTHING),
        row("foreign, TCP", "foreign-ipv4", PASS, foreign, tcp, NOTHING, NOTHING),
        row("foreign, UDP to another port", "foreign-udp", PASS, foreign, dns, NOTHING, NOTHING),
        row("blocked, by device", "blocked", DROP, blocked, data, block_devices, NOTHING),
        row("blocked, by prefix", "prefix", DROP, blocked, data, block_prefixes, NOTHING),
        row("DATA passed, three buckets", "pass-data", PASS, buckets, data, open_buckets, NOTHING),
        row("DATA dropped, device's bucket", "device-rate", DROP, buckets, data, close_devices, NOTHING),
        row("DATA dropped, class's bucket", "class-rate", DROP, buckets, data, close_class, NOTHING),
        row("DATA dropped, global bucket", "global-rate", DROP, buckets, data, close_global, NOTHING),
        row("HELLO answered DEFER, newcomer", "defer", TX, answered, hello, slow_sessions, newcomers),
        row("HELLO answered DEFER, repeated", "defer", TX, answered, hello, repeaters, NOTHING),
        row("HELLO passed", "pass-hello", PASS, None, hello, fast_sessions, newcomers),
        row("HELLO forged, dropped", "mac", DROP, None, forged, slow_sessions, NOTHING),
    ]
}

fn route(device: u32, port: u16) -> Route {
    let from = Ipv4Addr::from((u32::from(packets::STRANGER) & 0xfff0_0000) | (device % (1 << 20)));
    Route {
        from_mac: [2, 0, 0, 0, 0, 1],
        to_mac: [2, 0, 0, 0, 0, 2],
        from: SocketAddr::from((from, 40_000)),
        to: SocketAddr::from(([10, 64, 0, 1], port)),
    }
}

fn arp(_: &MasterKeys, device: u32) -> Result<Vec<u8>, ToolError> {
    let mut packet = vec![0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x08, 0x06];
    packet.extend([0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1]);
    packet.extend(device.to_be_bytes());
    packet.resize(60, 0);
    Ok(packet)
}

fn tcp(_: &MasterKeys, device: u32) -> Result<Vec<u8>, ToolError> {
    let mut packet = route(device, 22).datagram(&[0; 40])?;
    packet[14 + 9] = 6;
    Ok(packet)
}

fn dns(_: &MasterKeys, device: u32) -> Result<Vec<u8>, ToolError> {
    route(device, 53).datagram(&[0; 40])
}

pub fn data(keys: &MasterKeys, device: u32) -> Result<Vec<u8>, ToolError> {
    route(device, wire::PORT).datagram(&packets::data(keys, device)?)
}

fn hello(keys: &MasterKeys, device: u32) -> Result<Vec<u8>, ToolError> {
    route(device, wire::PORT).datagram(&packets::hello(keys, device, 1, None)?)
}

fn forged(keys: &MasterKeys, device: u32) -> Result<Vec<u8>, ToolError> {
    let mut packet = hello(keys, device)?;
    if let Some(last) = packet.last_mut() {
        *last ^= 1;
    }
    Ok(packet)
}

pub fn block_devices(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    stage.block_devices()
}

pub fn block_prefixes(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    let others = (0..OTHER_PREFIXES).map(|n| (0xac10_0000 + (n << 8), 24));
    let prefixes: Vec<_> = others.chain([(u32::from(packets::STRANGER) & 0xfff0_0000, 12)]).collect();
    stage.block_prefixes(&prefixes)
}

/// Every layer on, and none refuses.
fn open_buckets(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    let wide = emission(100_000_000, SECOND, 100_000_000)?;
    let state = stage.dam();
    (state.live.emission, state.global.emission) = (wide, wide);
    state.device_emission = emission(1_000, SECOND, 1_000)?;
    Ok(())
}

fn far() -> Result<u64, ToolError> {
    Ok((cpu::wall_nanos()? + 10 * HOUR) << UNITS)
}

pub fn close_devices(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    open_buckets(stage)?;
    stage.set_device_tats(far()?)
}

fn close_class(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    open_buckets(stage)?;
    stage.dam().live.tat = far()?;
    Ok(())
}

pub fn close_global(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    open_buckets(stage)?;
    stage.dam().global.tat = far()?;
    Ok(())
}

fn sessions(stage: &mut Stage<'_>, emission: u64) {
    let config = stage.config();
    config.session_mode = SLOTS;
    config.slots = 1;
    config.horizon_nanos = 24 * HOUR;
    config.session_window_nanos = 6 * HOUR;
    stage.dam().sessions.emission = emission;
}

fn slow_sessions(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    sessions(stage, emission(100, SECOND, 1)?);
    Ok(())
}

fn fast_sessions(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    sessions(stage, emission(100_000_000, SECOND, 100_000_000)?);
    Ok(())
}

/// Nobody has been here before. Over a slow rate, even the first is late.
fn newcomers(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    let now = cpu::wall_nanos()? << UNITS;
    let slow = emission(100, SECOND, 1)?;
    let state = stage.dam();
    state.sessions.tat = if state.sessions.emission == slow { now + (SECOND << UNITS) } else { now };
    stage.forget_slots()
}

/// Everybody has been here before, and holds a slot.
fn repeaters(stage: &mut Stage<'_>) -> Result<(), ToolError> {
    slow_sessions(stage)?;
    newcomers(stage)?;
    stage.run(super::stage::Program::Filter).map(|_| ())
}
