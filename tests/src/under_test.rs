//! The daemon under test: the real program under another name, so that cargo builds it with the tests.

use std::process::ExitCode;

fn main() -> ExitCode {
    sinew::cli_main()
}
