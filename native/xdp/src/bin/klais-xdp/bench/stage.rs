//! The stage of one row: `bpf/bench.bpf.c` with its frames, the filter's memory set up as the row wants it.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use klais_dam::{Emission, Limit, Shift};
use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{MapCore, MapFlags, MapMut, OpenObject, ProgramInput, ProgramMut, Xdp};

use crate::cpu;
use crate::error::ToolError;
use crate::sender::Attached;

/// The generated twin of bpf/bench.bpf.c.
#[allow(unsafe_code, missing_docs, clippy::all, clippy::too_many_lines)]
mod skeleton {
    include!(concat!(env!("OUT_DIR"), "/bench.skel.rs"));
}

pub use skeleton::types::{klais_config as Config, klais_dam_state as DamState};

/// Bytes that a prepared packet has room for.
const FRAME_BYTES: usize = size_of::<skeleton::types::bench_frame>();
/// XDP actions that are counted, by their number.
pub type Actions = [u64; 8];

/// Which program of the stage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Drops, and does nothing before.
    Empty,
    /// Takes the next frame, and drops.
    Baseline,
    /// Takes the next frame, cuts its tail, and drops: the next one is given the tail back.
    Cut,
    /// The same, but gives the tail back in two halves.
    CutByHalves,
    /// Takes the next frame, and filters.
    Filter,
}

/// A loaded stage.
pub struct Stage<'obj> {
    skeleton: skeleton::BenchSkel<'obj>,
    packet: Vec<u8>,
    devices: u32,
}

impl<'obj> Stage<'obj> {
    /// Loads the filter for devices `0..packets.len()`, a power of two, with one packet of each, all of one size.
    pub fn load(storage: &'obj mut MaybeUninit<OpenObject>, packets: &[Vec<u8>]) -> Result<Self, ToolError> {
        let devices = packets.len() as u32;
        let packet = packets.first().cloned().unwrap_or_default();
        let mut open = skeleton::BenchSkelBuilder::default()
            .open(storage)
            .map_err(ToolError::bpf("opening the bench"))?;
        if let Some(options) = open.maps.rodata_bench_data.as_deref_mut() {
            options.bench_options.frame_bytes = packet.len() as u32;
            options.bench_options.frames = devices;
        }
        let maps = &mut open.maps;
        for map in [&mut maps.bench_frames, &mut maps.device_tats, &mut maps.slots] {
            map.set_max_entries(devices).map_err(ToolError::bpf("sizing a table"))?;
        }
        maps.blocked.set_max_entries(devices.div_ceil(64)).map_err(ToolError::bpf("sizing the blocklist"))?;
        let mut skeleton = open.load().map_err(ToolError::bpf("loading the bench"))?;
        let mut values = Vec::with_capacity(packets.len() * FRAME_BYTES);
        for packet in packets {
            values.extend_from_slice(packet);
            values.resize(values.len() + FRAME_BYTES - packet.len(), 0);
        }
        fill(&skeleton.maps.bench_frames, &values, FRAME_BYTES)?;
        if let Some(config) = skeleton.maps.data_config_data.as_deref_mut() {
            config.klais_config.devices = devices;
        }
        let mut stage = Self { skeleton, packet, devices };
        let state = stage.dam();
        for bucket in
            [&mut state.global, &mut state.control, &mut state.live, &mut state.backfill, &mut state.sessions]
        {
            bucket.emission = Emission::OFF.word();
        }
        state.device_emission = Emission::OFF.word();
        Ok(stage)
    }

    /// The filter's settings.
    pub fn config(&mut self) -> &mut Config {
        let data = self.skeleton.maps.data_config_data.as_deref_mut();
        &mut data.expect("mapped by the skeleton").klais_config
    }

    /// The dam's shared words.
    pub fn dam(&mut self) -> &mut DamState {
        &mut self.skeleton.maps.data_dam_data.as_deref_mut().expect("mapped by the skeleton").klais_dam
    }

    /// Sets every device's bucket.
    pub fn set_device_tats(&self, tat: u64) -> Result<(), ToolError> {
        fill(&self.skeleton.maps.device_tats, &repeat(tat, self.devices), 8)
    }

    /// Forgets every device's slot and last attempt.
    pub fn forget_slots(&self) -> Result<(), ToolError> {
        fill(&self.skeleton.maps.slots, &repeat(0, self.devices), 8)
    }

    /// Blocks every device.
    pub fn block_devices(&mut self) -> Result<(), ToolError> {
        fill(&self.skeleton.maps.blocked, &repeat(u64::MAX, self.devices.div_ceil(64)), 8)?;
        self.dam().blocked_devices = self.devices;
        Ok(())
    }

    /// Blocks IPv4 prefixes: network, in host order, and bits.
    pub fn block_prefixes(&mut self, prefixes: &[(u32, u32)]) -> Result<(), ToolError> {
        for (network, bits) in prefixes {
            let mut key = [0; 20];
            key[..4].copy_from_slice(&(96 + bits).to_ne_bytes());
            key[14..16].fill(0xff);
            key[16..].copy_from_slice(&network.to_be_bytes());
            let blocked = 1u32.to_ne_bytes();
            let map = &self.skeleton.maps.prefixes;
            map.update(&key, &blocked, MapFlags::ANY).map_err(ToolError::bpf("blocking a prefix"))?;
        }
        self.config().prefixes = prefixes.len() as u32;
        Ok(())
    }

    /// Packets counted so far under one name.
    pub fn counter(&self, name: &str) -> Result<u64, ToolError> {
        let place = klais_xdp::COUNTER_NAMES.iter().position(|counter| *counter == name);
        let count = place.and_then(|place| self.counters().ok()?.get(place).copied());
        count.ok_or_else(|| ToolError::Unexpected(format!("the filter has no counter {name}")))
    }

    /// Packets counted so far, by counter.
    pub fn counters(&self) -> Result<Vec<u64>, ToolError> {
        let map = &self.skeleton.maps.counters;
        (0..map.max_entries())
            .map(|counter| {
                let cpus = map
                    .lookup_percpu(&counter.to_ne_bytes(), MapFlags::ANY)
                    .map_err(ToolError::bpf("reading the counters"))?;
                let packets = cpus.iter().flatten().filter_map(|cpu| cpu.first_chunk::<8>());
                Ok(packets.map(|bytes| u64::from_ne_bytes(*bytes)).sum())
            })
            .collect()
    }

    /// Runs so far by what became of them.
    pub fn actions(&self) -> Actions {
        self.skeleton.maps.data_bench_data.as_deref().map_or([0; 8], |data| data.bench_state.actions)
    }

    /// Puts the filter itself, without the bench around it, on an interface.
    pub fn attach(&self, index: u32) -> Result<Attached<'_>, ToolError> {
        Attached::new(Xdp::new(self.skeleton.progs.klais.as_fd()), index)
    }

    /// Runs a program over every frame once: nanoseconds of CPU per run.
    pub fn run(&self, program: Program) -> Result<f64, ToolError> {
        let programs = &self.skeleton.progs;
        let program: &ProgramMut<'_> = match program {
            Program::Empty => &programs.bench_empty,
            Program::Baseline => &programs.bench_baseline,
            Program::Cut => &programs.bench_cut,
            Program::CutByHalves => &programs.bench_cut_by_halves,
            Program::Filter => &programs.bench_filter,
        };
        let input =
            ProgramInput { data_in: Some(&self.packet), repeat: self.devices, ..ProgramInput::default() };
        let before = cpu::thread_nanos()?;
        program.test_run(input).map_err(ToolError::bpf("a test run"))?;
        Ok((cpu::thread_nanos()? - before) as f64 / f64::from(self.devices))
    }
}

/// The word of a limit, for a bucket.
pub fn emission(events: u64, period_nanos: u64, burst: u64) -> Result<u64, ToolError> {
    Emission::new(Limit { events, period_nanos, burst }, Shift::DAM)
        .map(Emission::word)
        .map_err(|error| ToolError::Unexpected(error.to_string()))
}

fn repeat(word: u64, entries: u32) -> Vec<u8> {
    word.to_ne_bytes().repeat(entries as usize)
}

/// Writes a whole table.
fn fill(map: &MapMut<'_>, values: &[u8], value_bytes: usize) -> Result<(), ToolError> {
    let entries = (values.len() / value_bytes) as u32;
    let keys: Vec<u8> = (0..entries).flat_map(u32::to_ne_bytes).collect();
    map.update_batch(&keys, values, entries, MapFlags::ANY, MapFlags::ANY)
        .map_err(ToolError::bpf("filling a table"))
}
