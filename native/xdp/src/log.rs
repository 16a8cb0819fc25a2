//! What libbpf has to say.

use libbpf_rs::{PrintLevel, set_print};

/// Gives libbpf's warnings to `tell`, a line or a few at a time, in place of standard error. For the whole process.
pub fn log_to(tell: fn(&str)) {
    static TELL: std::sync::OnceLock<fn(&str)> = std::sync::OnceLock::new();
    fn pass_on(_level: PrintLevel, text: String) {
        if let Some(tell) = TELL.get() {
            tell(text.trim_end());
        }
    }
    // Whoever came first has the floor.
    let _ = TELL.set(tell);
    set_print(Some((PrintLevel::Warn, pass_on)));
}
