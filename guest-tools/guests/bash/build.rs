//! Gives the shell a stack in its own memory for as many nested calls as it allows.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        // 16 MiB; pages that are never reached cost nothing.
        println!("cargo::rustc-link-arg-bins=-zstack-size=16777216");
    }
}
