//! The program.

fn main() {
    process::main(grep::run)
}
