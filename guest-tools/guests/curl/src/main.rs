//! The program.

fn main() {
    process::main(curl::run)
}
