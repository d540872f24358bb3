//! The compiler's child process on its own, for the tests of this crate.

fn main() -> std::process::ExitCode {
    sinew_runtime::compile_worker_main()
}
