//! The program.

fn main() {
    process::main(misc::run)
}
