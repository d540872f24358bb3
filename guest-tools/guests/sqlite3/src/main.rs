//! The program; all of it is in the library.

fn main() {
    process::main(sqlite3::run)
}
