//! The program `bash`, also called as `sh`.

fn main() {
    process::main(bash::run)
}
