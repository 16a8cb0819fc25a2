//! The kernel's maps as memory of this process.
#![allow(unsafe_code)]

use crate::XdpError;
use libbpf_rs::{MapCore, Object};
use std::os::fd::{AsFd, AsRawFd};

/// The memory of a map, mapped for as long as the process lives: whoever it is lent to may keep it.
pub struct Memory {
    start: *mut u8,
    bytes: usize,
}

// SAFETY: the mapping is never undone or moved, and all access goes through atomics or volatile copies.
unsafe impl Send for Memory {}
// SAFETY: as above; what is written by volatile copies is written under `&mut` or by one thread of a test.
unsafe impl Sync for Memory {}

impl Memory {
    /// Maps the array map of this name.
    pub fn of(object: &Object, name: &'static str) -> Result<Self, XdpError> {
        let map = object.maps().find(|map| map.name() == name).ok_or(XdpError::Missing(name))?;
        // An array keeps its values at multiples of 8 bytes.
        let bytes = map.value_size().next_multiple_of(8) as usize * map.max_entries() as usize;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let fd = map.as_fd().as_raw_fd();
        // SAFETY: a fresh shared mapping of a file descriptor that is open; the kernel checks the length.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, protection, libc::MAP_SHARED, fd, 0) };
        if start == libc::MAP_FAILED {
            return Err(XdpError::Mapping { map: name, error: std::io::Error::last_os_error() });
        }
        Ok(Self { start: start.cast(), bytes })
    }

    /// As entries of `T`, which must be atomics in a C layout: any bytes are a valid value of them.
    ///
    /// # Safety
    /// `T` is made of atomics (or padding) only, so that the kernel may change it at any time.
    pub unsafe fn entries<T>(&self) -> &'static [T] {
        // SAFETY: page-aligned memory that is never unmapped, of `bytes` bytes; the caller vouches for `T`.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.bytes / size_of::<T>()) }
    }

    /// A pointer to a structure at its start, to be read and written by volatile copies.
    pub fn at<T>(&self) -> *mut T {
        assert!(size_of::<T>() <= self.bytes, "layout.rs and klais.h differ");
        self.start.cast()
    }
}
