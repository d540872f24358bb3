//! The program itself; everything is in the library beside it.

fn main() {
    process::main(procps::run)
}
