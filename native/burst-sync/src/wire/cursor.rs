//! Big-endian fields, one after the other. Running out of bytes is an error, never a panic.

use super::WireError;

/// Takes fields off the front.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn take<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(WireError::Length)?;
        self.rest = rest;
        Ok(*taken)
    }

    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.take().map(u8::from_be_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.take().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.take().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.take().map(u64::from_be_bytes)
    }

    /// Bytes that version 1 does not use.
    pub fn reserved<const N: usize>(&mut self) -> Result<(), WireError> {
        if self.take()? == [0; N] { Ok(()) } else { Err(WireError::Field) }
    }

    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// Puts fields into a buffer.
pub(super) struct Writer<'a> {
    rest: &'a mut [u8],
}

impl<'a> Writer<'a> {
    pub fn new(out: &'a mut [u8]) -> Self {
        Self { rest: out }
    }

    pub fn put(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let rest = core::mem::take(&mut self.rest);
        let (place, rest) = rest.split_at_mut_checked(bytes.len()).ok_or(WireError::Length)?;
        place.copy_from_slice(bytes);
        self.rest = rest;
        Ok(())
    }

    pub fn u8(&mut self, value: u8) -> Result<(), WireError> {
        self.put(&[value])
    }

    pub fn u16(&mut self, value: u16) -> Result<(), WireError> {
        self.put(&value.to_be_bytes())
    }

    pub fn u32(&mut self, value: u32) -> Result<(), WireError> {
        self.put(&value.to_be_bytes())
    }

    pub fn u64(&mut self, value: u64) -> Result<(), WireError> {
        self.put(&value.to_be_bytes())
    }

    pub fn reserved<const N: usize>(&mut self) -> Result<(), WireError> {
        self.put(&[0; N])
    }
}
