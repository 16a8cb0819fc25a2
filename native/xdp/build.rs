//! Compiles the BPF program, which the library carries as bytes.

#![allow(clippy::disallowed_methods, reason = "Cargo talks to build scripts by environment variables")]

use std::path::PathBuf;
use std::process::{Command, exit};

fn main() {
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("klais.bpf.o");
    // Debian keeps asm/types.h in a folder of its own for each architecture.
    let include = format!("-I/usr/include/{arch}-linux-gnu");
    let arguments = ["-O2", "-g", "-target", "bpf", "-mcpu=v3", "-Wall", "-Werror", &include];
    let compiled =
        Command::new("clang").args(arguments).args(["-c", "bpf/klais.bpf.c", "-o"]).arg(&out).status();
    match compiled {
        Ok(status) if status.success() => {}
        Ok(_) => {
            fail("clang could not compile bpf/klais.bpf.c: are the headers of libbpf installed (libbpf-dev)?")
        }
        Err(error) => fail(&format!("cannot run clang, which compiles the BPF program: {error}")),
    }
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    exit(1)
}
