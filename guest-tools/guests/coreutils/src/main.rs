//! The program.

fn main() {
    process::main(coreutils::run)
}
