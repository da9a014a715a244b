//! What a person is told, on standard output.

/// Prints a line, as `println!` does. That nobody reads it is no reason to end in a panic instead of in order: Ctrl-C ends all of
/// `standalone | tee file`.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        writeln!(std::io::stdout(), $($text)*).ok();
    }};
}
