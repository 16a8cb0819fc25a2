//! Tables of atomics, one entry per device.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::DamError;

/// A table of `len` zeros. An allocator's refusal is an error, not an abort.
pub(crate) fn atomic_table<T: Default>(len: usize) -> Result<Box<[T]>, DamError> {
    let mut table = Vec::new();
    if table.try_reserve_exact(len).is_err() {
        return Err(DamError::OutOfMemory { bytes: len as u64 * size_of::<T>() as u64 });
    }
    table.resize_with(len, T::default);
    Ok(table.into_boxed_slice())
}
