//! What patch says while it works.

/// Tells the user, on standard error if the patched file goes to standard output. Who is not heard is not stopped.
macro_rules! say_part {
    ($session:expr, $($text:tt)*) => {
        if $session.request.output.as_deref() == Some("-") {
            eprint!($($text)*);
        } else {
            let _ = write!(io::stdout(), $($text)*);
        }
    };
}

/// As `say_part`, with the end of the line.
macro_rules! say {
    ($session:expr, $format:literal $($text:tt)*) => {
        say_part!($session, "{}\n", format_args!($format $($text)*))
    };
}

pub(super) use {say, say_part};
