//! The one place where JavaScript's memory is written.

use napi::bindgen_prelude::{Float64ArraySlice, Uint8ArraySlice};

/// The array's words.
#[allow(unsafe_code)]
pub fn words<'a>(array: &'a mut Float64ArraySlice<'_>) -> &'a mut [f64] {
    // SAFETY: JavaScript does not run during the call, the arrays live in its frame, and the engine passes
    // distinct buffers for distinct arguments, none of them shared with another thread.
    unsafe { array.as_mut() }
}

/// The array's bytes.
#[allow(unsafe_code)]
pub fn bytes<'a>(array: &'a mut Uint8ArraySlice<'_>) -> &'a mut [u8] {
    // SAFETY: as above.
    unsafe { array.as_mut() }
}
