//! Tells the linker that the symbols of Node come later.
fn main() {
    napi_build::setup();
}
