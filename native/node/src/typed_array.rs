//! The one place where JavaScript's memory is written.

use napi::bindgen_prelude::{Float64Array, Float64ArraySlice, Uint8Array, Uint16Array};

/// The array's words.
#[allow(unsafe_code)]
pub fn words<'a>(array: &'a mut Float64ArraySlice<'_>) -> &'a mut [f64] {
    // SAFETY: JavaScript does not run during the call, the arrays live in its frame, and the engine passes
    // distinct buffers for distinct arguments, none of them shared with another thread.
    unsafe { array.as_mut() }
}

/// The words of an array that is kept between calls.
#[allow(unsafe_code)]
pub fn owned_words(array: &mut Float64Array) -> &mut [f64] {
    // SAFETY: as above; the reference that the array holds keeps its memory, and engine arrays are never detached.
    unsafe { array.as_mut() }
}

/// The bytes of an array that is kept between calls.
#[allow(unsafe_code)]
pub fn owned_bytes(array: &mut Uint8Array) -> &mut [u8] {
    // SAFETY: as above.
    unsafe { array.as_mut() }
}

/// The numbers of an array that is kept between calls.
#[allow(unsafe_code)]
pub fn owned_shorts(array: &mut Uint16Array) -> &mut [u16] {
    // SAFETY: as above.
    unsafe { array.as_mut() }
}
