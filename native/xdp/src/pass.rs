//! The other end of a veth pair.
#![allow(unsafe_code)]

use crate::attach::{AttachMode, index_of, refusal};
use crate::error::XdpError;
use libbpf_rs::libbpf_sys::{BPF_PROG_TYPE_XDP, XDP_FLAGS_DRV_MODE, XDP_FLAGS_UPDATE_IF_NOEXIST};
use libbpf_rs::libbpf_sys::{bpf_insn, bpf_prog_load, bpf_xdp_attach};
use std::mem::zeroed;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::{null, null_mut};

const PASS: i32 = 2;
/// `r0 = imm`, and the end.
const MOVE: u8 = 0xb7;
const EXIT: u8 = 0x95;

/// Makes an interface take in at once what a filter at the other end of its cable sends back: attaches a program, in the
/// driver, that lets everything pass. It stays for as long as the interface does.
///
/// A veth hands on what `XDP_TX` sends to it at once where it has a program of its own. Where it only polls, for GRO, it
/// is not told that there is something, and frames wait for the next packet that comes by the ordinary way.
///
/// # Errors
/// As [`Filter::attach`](crate::Filter::attach).
pub fn let_pass(interface: &str) -> Result<(), XdpError> {
    let index = index_of(interface)?;
    // SAFETY: numbers alone.
    let mut program: [bpf_insn; 2] = unsafe { zeroed() };
    (program[0].code, program[0].imm, program[1].code) = (MOVE, PASS, EXIT);
    // SAFETY: two instructions and two strings that end in 0; no name and no options are given.
    let loaded = unsafe {
        let (code, count) = (program.as_ptr(), program.len() as _);
        bpf_prog_load(BPF_PROG_TYPE_XDP, null(), c"MIT".as_ptr(), code, count, null_mut())
    };
    if loaded < 0 {
        return Err(refusal(interface, AttachMode::Native, -loaded));
    }
    // SAFETY: a descriptor that the kernel has just given to us and to nobody else.
    let program = unsafe { OwnedFd::from_raw_fd(loaded) };
    let flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST;
    // SAFETY: the descriptor is open, and no options are given.
    let attached = unsafe { bpf_xdp_attach(index.cast_signed(), program.as_raw_fd(), flags, null()) };
    if attached < 0 { Err(refusal(interface, AttachMode::Native, -attached)) } else { Ok(()) }
}
