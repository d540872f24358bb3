//! The program.

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    std::process::exit(i32::from(grep::run(&arguments)));
}
