//! The program.

fn main() {
    process::main(diff::run)
}
