//! What JavaScript calls: plain functions on numbered objects. A method of a napi class costs about 430 ns a call before
//! it does anything, a plain function a fraction of it, and a week in slices of 60 ms makes 35 million calls.
//!
//! Objects belong to the thread that made them; a number that names none is an error, never a crash.

use crate::cluster::Cluster;
use crate::fleet::Fleet;
use crate::options::{ClusterOptions, FleetOptions};
use crate::swarm::SwarmOptions;
use napi::bindgen_prelude::{Error, Float64Array, Float64ArraySlice, Result, Uint8Array, Uint16Array};
use napi_derive::napi;
use std::cell::RefCell;

thread_local! {
    static FLEETS: RefCell<Vec<Option<Fleet>>> = const { RefCell::new(Vec::new()) };
    static CLUSTERS: RefCell<Vec<Option<Cluster>>> = const { RefCell::new(Vec::new()) };
}

type Registry<T> = std::thread::LocalKey<RefCell<Vec<Option<T>>>>;

fn register<T>(registry: &'static Registry<T>, object: T) -> u32 {
    registry.with_borrow_mut(|all| {
        let free = all.iter().position(Option::is_none).unwrap_or(all.len());
        if free == all.len() {
            all.push(None);
        }
        all[free] = Some(object);
        free as u32
    })
}

fn with<T, R>(
    registry: &'static Registry<T>,
    id: u32,
    action: impl FnOnce(&mut T) -> Result<R>,
) -> Result<R> {
    registry.with_borrow_mut(|all| match all.get_mut(id as usize) {
        Some(Some(object)) => action(object),
        _ => Err(Error::from_reason("no such native object, or it is disposed of")),
    })
}

fn dispose<T>(registry: &'static Registry<T>, id: u32) {
    registry.with_borrow_mut(|all| {
        if let Some(object) = all.get_mut(id as usize) {
            *object = None;
        }
    });
}

/// Makes a fleet: its number.
#[napi(catch_unwind)]
pub fn create_fleet(options: FleetOptions) -> Result<u32> {
    Ok(register(&FLEETS, Fleet::new(options)?))
}

/// Frees a fleet.
#[napi]
pub fn dispose_fleet(id: u32) {
    dispose(&FLEETS, id);
}

/// See [`Fleet::attach`].
#[napi(catch_unwind)]
pub fn attach_fleet(
    id: u32,
    inbox: Float64Array,
    outbox: Float64Array,
    timers: Float64Array,
    counts: Float64Array,
    routes: Uint16Array,
) -> Result<()> {
    with(&FLEETS, id, |fleet| {
        fleet.attach(inbox, outbox, timers, counts, routes);
        Ok(())
    })
}

/// See [`Fleet::step`].
#[napi(catch_unwind)]
pub fn step_fleet(id: u32, horizon: f64, count: u32) -> Result<()> {
    with(&FLEETS, id, |fleet| fleet.step(horizon, count))
}

/// See [`Fleet::drain`].
#[napi(catch_unwind)]
pub fn drain_fleet(id: u32) -> Result<u32> {
    with(&FLEETS, id, |fleet| Ok(fleet.drain()))
}

/// See [`Fleet::deadlines`].
#[napi(catch_unwind)]
pub fn fleet_deadlines(id: u32, first: u32, deadlines: Float64ArraySlice<'_>) -> Result<()> {
    with(&FLEETS, id, |fleet| {
        fleet.deadlines(first, deadlines);
        Ok(())
    })
}

/// See [`Fleet::phases`].
#[napi(catch_unwind)]
pub fn fleet_phases(id: u32, first: u32, phases: Float64ArraySlice<'_>) -> Result<()> {
    with(&FLEETS, id, |fleet| {
        fleet.phases(first, phases);
        Ok(())
    })
}

/// See [`Fleet::settle`].
#[napi(catch_unwind)]
pub fn settle_fleet(id: u32, now: f64, first: u32, rows: Float64ArraySlice<'_>) -> Result<()> {
    with(&FLEETS, id, |fleet| {
        fleet.settle(now, first, rows);
        Ok(())
    })
}

/// See [`Fleet::digest`].
#[napi(catch_unwind)]
pub fn fleet_digest(id: u32) -> Result<String> {
    with(&FLEETS, id, |fleet| Ok(fleet.digest()))
}

/// Bytes of a device in a fleet.
#[napi]
pub fn fleet_bytes_per_device() -> u32 {
    Fleet::BYTES_PER_DEVICE
}

/// Makes a cluster: its number.
#[napi(catch_unwind)]
pub fn create_cluster(options: ClusterOptions) -> Result<u32> {
    Ok(register(&CLUSTERS, Cluster::new(options)?))
}

/// Frees a cluster.
#[napi]
pub fn dispose_cluster(id: u32) {
    dispose(&CLUSTERS, id);
}

/// See [`Cluster::join_swarm`]; `devices`: those of the cluster.
#[napi(catch_unwind)]
pub fn join_swarm(id: u32, options: SwarmOptions, devices: u32) -> Result<()> {
    with(&CLUSTERS, id, |cluster| cluster.join_swarm(&options, devices))
}

/// See [`Cluster::swarm_figures`].
#[napi(catch_unwind)]
pub fn swarm_figures(id: u32) -> Result<Vec<f64>> {
    with(&CLUSTERS, id, |cluster| Ok(cluster.swarm_figures()))
}

/// See [`Cluster::attach`].
#[napi(catch_unwind)]
pub fn attach_cluster(
    id: u32,
    inbox: Float64Array,
    verdicts: Uint8Array,
    outbox: Float64Array,
    counts: Float64Array,
) -> Result<()> {
    with(&CLUSTERS, id, |cluster| {
        cluster.attach(inbox, verdicts, outbox, counts);
        Ok(())
    })
}

/// See [`Cluster::assume_online`].
#[napi(catch_unwind)]
pub fn assume_online(id: u32, devices: u32) -> Result<()> {
    with(&CLUSTERS, id, |cluster| {
        cluster.assume_online(devices);
        Ok(())
    })
}

/// See [`Cluster::ingress`].
#[napi(catch_unwind)]
pub fn cluster_ingress(id: u32, first: u32, count: u32) -> Result<u32> {
    with(&CLUSTERS, id, |cluster| cluster.ingress(first, count))
}

/// See [`Cluster::handle`].
#[napi(catch_unwind)]
pub fn cluster_handle(id: u32, horizon: f64, count: u32) -> Result<()> {
    with(&CLUSTERS, id, |cluster| cluster.handle(horizon, count))
}

/// See [`Cluster::drain`].
#[napi(catch_unwind)]
pub fn drain_cluster(id: u32) -> Result<u32> {
    with(&CLUSTERS, id, |cluster| Ok(cluster.drain()))
}

/// See [`Cluster::stats`].
#[napi(catch_unwind)]
pub fn cluster_stats(id: u32, out: Float64ArraySlice<'_>) -> Result<()> {
    with(&CLUSTERS, id, |cluster| {
        cluster.stats(out);
        Ok(())
    })
}

/// See [`Cluster::decisions`].
#[napi(catch_unwind)]
pub fn cluster_decisions(id: u32, gateway: u32) -> Result<Vec<f64>> {
    with(&CLUSTERS, id, |cluster| Ok(cluster.decisions(gateway)))
}

/// See [`Cluster::decision_reasons`].
#[napi]
pub fn decision_reasons() -> Vec<String> {
    Cluster::decision_reasons()
}

/// See [`Cluster::drop_names`].
#[napi]
pub fn drop_names() -> Vec<String> {
    Cluster::drop_names()
}

/// See [`Cluster::drops`].
#[napi(catch_unwind)]
pub fn cluster_drops(id: u32) -> Result<Vec<f64>> {
    with(&CLUSTERS, id, |cluster| Ok(cluster.drops()))
}

/// See [`Cluster::digest`].
#[napi(catch_unwind)]
pub fn cluster_digest(id: u32) -> Result<String> {
    with(&CLUSTERS, id, |cluster| Ok(cluster.digest()))
}

/// Bytes of a device in a gateway.
#[napi]
pub fn cluster_bytes_per_device() -> u32 {
    Cluster::BYTES_PER_DEVICE
}
