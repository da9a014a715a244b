//! Log lines on stderr: standard output belongs to what a program was asked for.

use std::fmt::{self, Write as _};
use std::io::IsTerminal as _;

use tracing::Subscriber;
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Libraries whose lines below a warning are about themselves. A directive in `LOG_LEVEL` overrules this.
const NOISY: [&str; 4] = ["rdkafka", "librdkafka", "tiberius", "hyper"];

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggingConfig {
    directives: String,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Auto,
    Json,
    Pretty,
}

impl LoggingConfig {
    /// Reads `LOG_LEVEL` (`info` where it is not set) and `LOG_FORMAT`.
    pub fn read(env: &mut settings::Reader) -> Self {
        Self::read_or(env, "info")
    }

    /// The same with another default for `LOG_LEVEL`, for programs whose terminal belongs to a person.
    pub fn read_or(env: &mut settings::Reader, directives: &str) -> Self {
        let directives = env.text(
            "LOG_LEVEL",
            directives,
            "What is logged: error, warn, info, debug, trace or off; also by target, as in info,consumer=debug.",
        );
        let forms = [("auto", Form::Auto), ("json", Form::Json), ("pretty", Form::Pretty)];
        let form = env.choice("LOG_FORMAT", &forms, "How: json, pretty, or auto: pretty on a terminal, JSON otherwise.");
        let config = Self { directives, form };
        if !config.is_valid() {
            env.problem("LOG_LEVEL", "must be error, warn, info, debug, trace, off, or directives such as info,consumer=debug");
        }
        config
    }

    /// A bare word would be taken for a target, and a misspelt level would then log nothing without a word.
    fn is_valid(&self) -> bool {
        let bare_words_are_levels = self.pieces().all(|piece| piece.contains(['=', '[']) || piece.parse::<LevelFilter>().is_ok());
        bare_words_are_levels && EnvFilter::builder().parse(&self.directives).is_ok()
    }

    fn pieces(&self) -> impl Iterator<Item = &str> {
        self.directives.split(',').map(str::trim).filter(|piece| !piece.is_empty())
    }

    fn filter(&self) -> EnvFilter {
        let level = self.pieces().filter_map(|piece| piece.parse::<LevelFilter>().ok()).last().unwrap_or(LevelFilter::INFO);
        let caps = NOISY.iter().filter(|_| level > LevelFilter::WARN).map(|target| format!("{target}=warn"));
        // The later of two directives for one target holds.
        let all: Vec<_> = std::iter::once(level.to_string()).chain(caps).chain(self.pieces().map(str::to_owned)).collect();
        EnvFilter::new(all.join(","))
    }

    fn is_pretty(&self, on_terminal: bool) -> bool {
        match self.form {
            Form::Auto => on_terminal,
            Form::Json => false,
            Form::Pretty => true,
        }
    }
}

/// Starts logging, for the whole process.
///
/// # Errors
/// Logging was started before.
pub fn init(config: &LoggingConfig) -> Result<(), AlreadyStarted> {
    let on_terminal = std::io::stderr().is_terminal();
    let colours = on_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let subscriber = subscriber(config, config.is_pretty(on_terminal), colours, std::io::stderr);
    subscriber.try_init().map_err(|_| AlreadyStarted)
}

/// Tells every setting, as it may be shown, at `debug`: what a program was started with is asked for when something is wrong with it.
pub fn tell_settings(variables: &[settings::Variable]) {
    for settings::Variable { name, shown, .. } in variables {
        tracing::debug!(name, value = shown.as_deref().unwrap_or("not set"), "setting");
    }
}

/// Logging is started once per process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("logging was started before")]
pub struct AlreadyStarted;

fn subscriber<W>(config: &LoggingConfig, pretty: bool, colours: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt().with_env_filter(config.filter()).with_writer(writer).with_ansi(colours);
    // A line that cannot be written is lost. The report of that would go to stderr too, and where nobody reads it, panic whoever logs.
    let builder = builder.log_internal_errors(false);
    if pretty {
        Box::new(builder.compact().fmt_fields(debug_fn(field).delimited(" ")).finish())
    } else {
        Box::new(builder.json().flatten_event(true).with_current_span(false).finish())
    }
}

/// Writes one field. Control characters are escaped: a line break would forge a line, an escape sequence would command the terminal. JSON
/// needs no such help, its text has none.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    // What the bridge from the `log` crate adds stands in the line already.
    if field.name().starts_with("log.") {
        return Ok(());
    }
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    write!(Escaping(writer), "{value:?}")
}

struct Escaping<'w, 'b>(&'w mut Writer<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| if c.is_control() { write!(self.0, "{}", c.escape_default()) } else { self.0.write_char(c) })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing::dispatcher::with_default;
    use tracing::{Dispatch, info};

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn config(level: &str, form: &str) -> LoggingConfig {
        LoggingConfig::read(&mut settings::Reader::from_pairs([("LOG_LEVEL", level), ("LOG_FORMAT", form)]))
    }

    /// What is written while this runs.
    fn written(level: &str, pretty: bool, colours: bool, log: impl FnOnce()) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber = subscriber(&config(level, "auto"), pretty, colours, move || writer.clone());
        with_default(&Dispatch::from(subscriber), log);
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    fn log_a_hostile_value() {
        let hostile = "x\nFORGED\r\nFORGED\rFORGED\x1b[2J";
        let span = tracing::info_span!("batch", name = %hostile);
        let _entered = span.enter();
        info!(shown = %hostile, debugged = ?hostile, plain = hostile, "message {hostile}");
        info!("next");
    }

    #[test]
    fn a_line_break_in_a_value_starts_no_new_line() {
        for (pretty, colours) in [(false, false), (true, false), (true, true)] {
            let text = written("info", pretty, colours, log_a_hostile_value);
            assert_eq!(text.lines().count(), 2, "{text}");
            assert!(!text.contains('\r') && text.ends_with('\n') && !text.contains("\x1b[2J"), "{text:?}");
            assert!(text.matches("FORGED").count() >= 12, "nothing is lost: {text}");
        }
    }

    #[test]
    fn json_lines_are_objects_with_their_fields_at_the_top() {
        let text = written("info", false, false, || info!(eventType = "OrderPlaced", partition = 3, "parked"));
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["message"], &line["level"]), (&"parked".into(), &"INFO".into()));
        assert_eq!((&line["eventType"], &line["partition"]), (&"OrderPlaced".into(), &3.into()));
    }

    fn log_a_few() {
        info!(target: "consumer", "ours");
        tracing::debug!(target: "consumer", "ours in detail");
        info!(target: "hyper_util::server", "noise");
        info!(target: "librdkafka", "noise");
        tracing::warn!(target: "tiberius::client", "trouble");
    }

    #[test]
    fn noisy_libraries_are_capped_at_warn_unless_the_level_says_otherwise() {
        let lines = |level| {
            let text = written(level, true, false, log_a_few);
            ["ours", "ours in detail", "noise", "trouble"]
                .map(|word| text.lines().filter(|line| line.ends_with(&format!(": {word}"))).count())
        };
        assert_eq!(lines("info"), [1, 0, 0, 1]);
        assert_eq!(lines("debug"), [1, 1, 0, 1]);
        assert_eq!(lines("debug,librdkafka=info"), [1, 1, 1, 1]);
        assert_eq!(lines("consumer=debug"), [1, 1, 0, 1], "the rest stays at info");
        assert_eq!(lines("error"), [0, 0, 0, 0], "a cap never raises the level");
        assert_eq!(lines("warn,consumer=info"), [1, 0, 0, 1]);
        assert_eq!(lines("off"), [0, 0, 0, 0]);
    }

    #[test]
    fn a_level_that_is_none_is_a_problem() {
        for (level, valid) in [
            ("info", true),
            ("WARN", true),
            ("info,consumer=debug,api::reads=trace", true),
            ("inof", false),
            ("info,consumer", false),
            ("consumer=loud", false),
            ("=", false),
        ] {
            let mut env = settings::Reader::from_pairs([("LOG_LEVEL", level)]);
            LoggingConfig::read(&mut env);
            assert_eq!(env.finish().is_ok(), valid, "{level}");
        }
    }

    #[test]
    fn auto_is_pretty_on_a_terminal_and_json_elsewhere() {
        for (form, on_terminal, elsewhere) in [("auto", true, false), ("json", false, false), ("pretty", true, true)] {
            let config = config("info", form);
            assert_eq!((config.is_pretty(true), config.is_pretty(false)), (on_terminal, elsewhere), "{form}");
        }
    }
}
