//! The program.

fn main() {
    process::main(sysutils::run)
}
