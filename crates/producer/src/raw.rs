//! `send-raw`: any bytes under any key.

use pipeline::Header;
use pipeline::ports::Message;

use crate::cli::RawArgs;
use crate::receipt::Sending;
use crate::send::{read_file, read_stdin};

/// The message that the arguments ask for.
///
/// # Errors
/// A file or the standard input cannot be read.
pub fn prepare(args: RawArgs) -> Result<Sending, String> {
    let value = match (args.tombstone, args.data, args.file) {
        (true, _, _) => None,
        (false, Some(text), _) => Some(text.into_bytes()),
        (false, None, Some(file)) => Some(read_file(&file)?),
        (false, None, None) => Some(read_stdin()?),
    };
    let headers = args.headers.into_iter().map(|(name, value)| Header::text(&name, value)).collect();
    Ok(Sending { message: Message { key: args.key.map(String::into_bytes), value, headers }, event: None })
}
