//! The program.

fn main() {
    process::main(archive::run)
}
