//! Compiles the BPF programs: the library carries the filter as bytes, the tool the other two behind generated types.

#![allow(clippy::disallowed_methods, reason = "Cargo talks to build scripts by environment variables")]

use std::path::{Path, PathBuf};
use std::process::{Command, exit};

fn main() {
    println!("cargo:rerun-if-changed=bpf");
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let folder = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let out = folder.join("klais.bpf.o");
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
    for tool in ["bench", "sender"] {
        generate(tool, &include, &folder);
    }
}

/// Compiles a program of the tool, and writes Rust types for its maps.
fn generate(name: &str, include: &str, folder: &Path) {
    let generated = libbpf_cargo::SkeletonBuilder::new()
        .source(format!("bpf/{name}.bpf.c"))
        .clang_args(["-O2", "-mcpu=v3", "-Wall", "-Werror", include])
        .build_and_generate(folder.join(format!("{name}.skel.rs")));
    if let Err(error) = generated {
        fail(&format!("bpf/{name}.bpf.c: {error:#}"));
    }
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    exit(1)
}
