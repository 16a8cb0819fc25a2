//! The sender of live frames: `bpf/sender.bpf.c`, run by BPF_PROG_TEST_RUN.

use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use libbpf_rs::skel::{OpenSkel, SkelBuilder};
use libbpf_rs::{MapCore, MapFlags, OpenObject, ProgramInput, Xdp, XdpFlags};

use crate::cpu;
use crate::error::ToolError;

/// The generated twin of bpf/sender.bpf.c.
#[allow(unsafe_code, missing_docs, clippy::all, clippy::too_many_lines)]
mod skeleton {
    include!(concat!(env!("OUT_DIR"), "/sender.skel.rs"));
}

pub use skeleton::types::sender_frame as PreparedFrame;

/// Frames of one test run: each has a fixed wait at its end, and few frames would pay dearly for it.
pub const FRAMES_PER_CALL: u32 = 1 << 21;
/// The longest packet that a prepared one may be.
pub const FRAME_BYTES_MAX: usize = size_of::<PreparedFrame>();

/// What to send.
#[derive(Clone, Default)]
pub struct Plan {
    /// The packet, or with `prepared` one of their size.
    pub packet: Vec<u8>,
    /// Rewrites each frame's device at random: `first..first + devices`.
    pub devices: Option<(u32, u32)>,
    /// Rewrites each packet's source at random: base and mask, in host order.
    pub sources: Option<(u32, u32)>,
    /// Packets taken in turn, all of one size, a power of two.
    pub prepared: Vec<PreparedFrame>,
    /// Drops them before they leave: what the sender itself costs.
    pub drops: bool,
}

/// What a call did.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    pub frames: u64,
    /// CPU time of the calling thread, in whose softirq a veth pair delivers.
    pub cpu_nanos: u64,
    pub wall_nanos: u64,
}

/// A flood that can be let loose, and the programs that go with it.
pub struct Sender<'obj> {
    skeleton: skeleton::SenderSkel<'obj>,
    packet: Vec<u8>,
}

impl<'obj> Sender<'obj> {
    /// Loads a flood into the interface numbered `index`; in `storage` its object is kept.
    pub fn load(
        storage: &'obj mut MaybeUninit<OpenObject>,
        plan: &Plan,
        index: u32,
    ) -> Result<Self, ToolError> {
        let mut open = skeleton::SenderSkelBuilder::default()
            .open(storage)
            .map_err(ToolError::bpf("opening the sender"))?;
        let prepared = plan.prepared.len() as u32;
        if let Some(options) = open.maps.rodata_options_data.as_deref_mut() {
            let options = &mut options.sender_options;
            options.frame_bytes = plan.packet.len() as u32;
            options.prepared = prepared;
            (options.first_device, options.devices) = plan.devices.unwrap_or_default();
            (options.source_base, options.source_mask) = plan.sources.unwrap_or_default();
            options.drop = u8::from(plan.drops);
        }
        open.maps
            .frames
            .set_max_entries(prepared.max(1))
            .map_err(ToolError::bpf("sizing the prepared frames"))?;
        let skeleton = open.load().map_err(ToolError::bpf("loading the sender"))?;
        skeleton
            .maps
            .target
            .update(&0u32.to_ne_bytes(), &index.to_ne_bytes(), MapFlags::ANY)
            .map_err(ToolError::bpf(format!("redirecting to interface {index}")))?;
        prepare(&skeleton.maps.frames, &plan.prepared)?;
        Ok(Self { skeleton, packet: plan.packet.clone() })
    }

    /// Sends `frames`, on this thread.
    pub fn send(&self, frames: u32) -> Result<Sent, ToolError> {
        let (cpu, wall) = (cpu::thread_nanos()?, cpu::wall_nanos()?);
        let input = ProgramInput {
            data_in: Some(&self.packet),
            flags: libbpf_rs::libbpf_sys::BPF_F_TEST_XDP_LIVE_FRAMES,
            repeat: frames,
            ..ProgramInput::default()
        };
        self.skeleton.progs.klais_send.test_run(input).map_err(ToolError::bpf("sending live frames"))?;
        Ok(Sent {
            frames: frames.into(),
            cpu_nanos: cpu::thread_nanos()? - cpu,
            wall_nanos: cpu::wall_nanos()? - wall,
        })
    }

    /// Puts the empty program that drops all on an interface.
    pub fn attach_swallow(&self, index: u32) -> Result<Attached<'_>, ToolError> {
        Attached::new(Xdp::new(self.skeleton.progs.klais_swallow.as_fd()), index)
    }

    /// Puts the empty program that lets all through on an interface.
    pub fn attach_let_through(&self, index: u32) -> Result<Attached<'_>, ToolError> {
        Attached::new(Xdp::new(self.skeleton.progs.klais_let_through.as_fd()), index)
    }
}

/// A program on an interface, natively, until this is dropped.
pub struct Attached<'fd> {
    xdp: Xdp<'fd>,
    index: i32,
}

impl<'fd> Attached<'fd> {
    pub fn new(xdp: Xdp<'fd>, index: u32) -> Result<Self, ToolError> {
        let index = index as i32;
        xdp.attach(index, XdpFlags::DRV_MODE | XdpFlags::UPDATE_IF_NOEXIST)
            .map_err(ToolError::bpf(format!("attaching natively to interface {index}")))?;
        Ok(Self { xdp, index })
    }
}

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        // The interface may be gone already; then so is the attachment.
        let _ = self.xdp.detach(self.index, XdpFlags::DRV_MODE);
    }
}

/// Writes prepared frames into their map.
pub fn prepare(map: &impl MapCore, frames: &[PreparedFrame]) -> Result<(), ToolError> {
    for (index, frame) in (0u32..).zip(frames) {
        let mut bytes = [0; FRAME_BYTES_MAX];
        for (to, word) in bytes.chunks_exact_mut(8).zip(frame.words) {
            to.copy_from_slice(&word.to_ne_bytes());
        }
        map.update(&index.to_ne_bytes(), &bytes, MapFlags::ANY)
            .map_err(ToolError::bpf(format!("storing prepared frame {index}")))?;
    }
    Ok(())
}

/// A packet as a map keeps it.
pub fn prepared(packet: &[u8]) -> Result<PreparedFrame, ToolError> {
    let mut words = [0; FRAME_BYTES_MAX / 8];
    if packet.len() > FRAME_BYTES_MAX {
        return Err(ToolError::Usage(format!(
            "a prepared packet of {} bytes: at most {FRAME_BYTES_MAX}",
            packet.len()
        )));
    }
    for (word, bytes) in words.iter_mut().zip(packet.chunks(8)) {
        let mut all = [0; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_ne_bytes(all);
    }
    Ok(PreparedFrame { words })
}
