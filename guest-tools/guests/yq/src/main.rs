//! The program.

fn main() {
    process::main(yq::run)
}
