//! The daemon under test: the real program under another name, so that cargo builds it with the tests. Unlike the
//! real one it dies at the point that `SINEW_CRASH_AT` names.

use std::process::ExitCode;

fn main() -> ExitCode {
    sinew::crash_point::arm();
    sinew::cli_main()
}
