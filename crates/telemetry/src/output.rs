//! Results on the standard output.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Writes a line to the standard output, and says on stderr why it cannot be written. Returns whether whoever wanted it has it: a pipe that
/// was closed has been read as far as somebody wished.
///
/// `println!` panics in both cases: `producer send … | head -0` would look like a defect.
#[must_use]
pub fn print_line(text: impl Display) -> bool {
    match write_line(&mut io::stdout().lock(), &text) {
        Ok(()) => true,
        Err(error) => {
            // There may be no stderr either; then the exit code tells.
            writeln!(io::stderr(), "error: the result cannot be written to the standard output: {error}").ok();
            false
        }
    }
}

fn write_line(out: &mut impl Write, text: &impl Display) -> io::Result<()> {
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fails(ErrorKind);

    impl Write for Fails {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is_one() {
        let mut written = Vec::new();
        write_line(&mut written, &7).unwrap();
        assert_eq!(written, b"7\n");
        assert!(write_line(&mut Fails(ErrorKind::BrokenPipe), &7).is_ok());
        assert_eq!(write_line(&mut Fails(ErrorKind::StorageFull), &7).unwrap_err().kind(), ErrorKind::StorageFull);
    }
}
