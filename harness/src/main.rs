//! The one binary; see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sinew::cli_main()
}
