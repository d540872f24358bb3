//! The program.

fn main() {
    process::main(make::run)
}
