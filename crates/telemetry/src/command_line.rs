//! What the command line of every program has: its version, where settings come from, and the files that a package of it installs.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::error::ErrorKind;
use clap::{Args, Command, CommandFactory, FromArgMatches, Subcommand};
use clap_complete::Shell;
use settings::Layers;

use crate::output::print_line;

/// The commit from which this was built, where the build was told it (`EVENT_PIPELINE_COMMIT`).
///
/// Told, not asked for: a build script that asks Git would run, and build all of this again, at each commit.
pub const COMMIT: Option<&str> = told(option_env!("EVENT_PIPELINE_COMMIT"));
/// The day on which this was built, where the build was told it (`EVENT_PIPELINE_BUILD_DATE`).
const BUILD_DATE: Option<&str> = told(option_env!("EVENT_PIPELINE_BUILD_DATE"));
/// Behind every command of a program in its help: clap counts these up from 0.
const LAST: usize = 900;
/// Behind a command's own options: those of all the commands beneath one.
const FAMILY: usize = 700;
/// Behind those: how the answer is written.
const WRITTEN: usize = 800;
/// Where options stand that every command of a program has.
const SETTINGS: &str = "Settings";
/// So many characters of a commit are shown.
const COMMIT_SHOWN: usize = 12;

/// An argument of a container's build that is not given is an empty variable.
const fn told(variable: Option<&'static str>) -> Option<&'static str> {
    match variable {
        Some(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// The version; behind it in parentheses commit and date of the build, where they are known.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| version_of(COMMIT, BUILD_DATE));
    &VERSION
}

fn version_of(commit: Option<&str>, date: Option<&str>) -> String {
    let commit = commit.map(|commit| commit.get(..COMMIT_SHOWN).unwrap_or(commit));
    let known: Vec<&str> = commit.into_iter().chain(date).collect();
    let number = env!("CARGO_PKG_VERSION");
    if known.is_empty() { number.to_owned() } else { format!("{number} ({})", known.join(", ")) }
}

/// Reads the arguments of the process, and lets [`settings::Reader`] know those that are about settings. To be asked before anything else:
/// `completions` and `man` need no settings.
///
/// # Errors
/// There is nothing left to do, and the process is to end with this code: a file for a package was asked for. What cannot be understood, `--help`
/// and `--version` end the process here, with 2 or 0.
pub fn parse<C: CommandFactory + FromArgMatches>() -> Result<C, ExitCode> {
    let mut command = command::<C>();
    let mut matches = command.get_matches_mut();
    if let Ok(file) = PackageFile::from_arg_matches(&matches) {
        return Err(file.write(self::command::<C>()));
    }
    match SettingsArgs::from_arg_matches(&matches).map(|SettingsArgs { env_file, set }| Layers::new(env_file, &set)) {
        Ok(Ok(layers)) => layers.apply(),
        Ok(Err(problem)) => command.error(ErrorKind::ValueValidation, problem).exit(),
        Err(error) => error.format(&mut command).exit(),
    }
    C::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command).exit())
}

/// The command line with what every program has.
fn command<C: CommandFactory>() -> Command {
    // Not augmented itself: that would replace what the program says about itself.
    let files = PackageFile::augment_subcommands(Command::new("files"));
    let settings = SettingsArgs::augment_args(Command::new("settings"));
    // After what the program is for.
    let files = files.get_subcommands().map(|file| file.clone().display_order(LAST));
    ordered(C::command().version(version()).args(settings.get_arguments().cloned()), true).subcommands(files)
}

/// One order of options in every program: a command's own, those of its family, how the answer is written; under a heading of their own the options
/// that every command has. Without it clap would deal the latter out among the others.
fn ordered(command: Command, is_root: bool) -> Command {
    let mut place = 0;
    let command = command.mut_args(|arg| {
        place += 1;
        match arg.get_id().as_str() {
            _ if is_root && arg.is_global_set() => arg.help_heading(SETTINGS).display_order(LAST + place),
            "output" => arg.display_order(WRITTEN),
            // Where it takes a value it is what is to be read.
            "json" if !arg.get_action().takes_values() => arg.display_order(WRITTEN),
            _ if arg.is_global_set() => arg.display_order(FAMILY + place),
            _ => arg,
        }
    });
    command.mut_subcommands(|command| ordered(command, false))
}

/// Where settings come from beside the environment and `.env`.
#[derive(Debug, Args)]
struct SettingsArgs {
    /// Read settings from this file too, which is in the form of `.env`; `.env` and the environment stand above it
    #[arg(long, value_name = "FILE", global = true)]
    env_file: Option<PathBuf>,
    /// Set one setting, above the environment. No secrets, since others see command lines
    #[arg(long, value_name = "NAME=VALUE", global = true)]
    set: Vec<String>,
}

/// Something that a package of the program installs.
#[derive(Debug, Subcommand)]
enum PackageFile {
    /// Write completions for a shell to the standard output.
    Completions {
        /// For which.
        shell: Shell,
    },
    /// Write the manual page to the standard output, for `man -l -`.
    Man {
        /// Write one page for each command into this folder instead; it is made if it is missing.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

impl PackageFile {
    /// Writes it; the code says whether whoever wanted it has it.
    fn write(self, command: Command) -> ExitCode {
        let written = match self {
            Self::Completions { shell } => print_line(completions(shell, command).trim_end()),
            Self::Man { out: None } => match page(command) {
                Ok(page) => print_line(page.trim_end()),
                Err(error) => failed(format_args!("the manual page cannot be written: {error}")),
            },
            Self::Man { out: Some(folder) } => match pages(command, &folder) {
                Ok(()) => true,
                Err(error) => failed(format_args!("--out {} cannot be written to: {error}", folder.display())),
            },
        };
        if written { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn failed(why: std::fmt::Arguments<'_>) -> bool {
    // There may be no stderr either; then the exit code tells.
    io::Write::write_fmt(&mut io::stderr(), format_args!("error: {why}\n")).ok();
    false
}

/// Into memory: the generator panics where it cannot write, and a standard output may be closed.
fn completions(shell: Shell, mut command: Command) -> String {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(shell, &mut command, name, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// `help` has no page of its own: the pages are the help.
fn page(command: Command) -> io::Result<String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.disable_help_subcommand(true)).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn pages(command: Command, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use clap::ValueEnum as _;

    use super::*;

    /// Does something.
    #[derive(Parser)]
    #[command(name = "program")]
    struct Cli {
        #[command(subcommand)]
        command: Option<Work>,
    }

    #[derive(Clone, Subcommand)]
    enum Work {
        /// Work on.
        Run,
        /// Look at letters.
        #[command(subcommand)]
        Letters(Letters),
    }

    #[derive(Clone, Subcommand)]
    enum Letters {
        /// All of them.
        List,
    }

    #[test]
    fn a_version_says_what_the_build_was_told() {
        let number = env!("CARGO_PKG_VERSION");
        for (commit, date, version) in [
            (None, None, number.to_owned()),
            (Some("abc1234"), Some("2026-11-30"), format!("{number} (abc1234, 2026-11-30)")),
            (Some("0123456789abcdef0123456789abcdef01234567"), None, format!("{number} (0123456789ab)")),
            (None, Some("2026-11-30"), format!("{number} (2026-11-30)")),
        ] {
            assert_eq!(version_of(commit, date), version);
        }
        assert_eq!((told(None), told(Some("")), told(Some("abc"))), (None, None, Some("abc")));
        assert_eq!(command::<Cli>().get_version(), Some(version()));
    }

    #[test]
    fn what_is_added_leaves_what_a_program_says_of_itself() {
        assert_eq!(command::<Cli>().get_about().unwrap().to_string(), "Does something");
        let matches = command::<Cli>().get_matches_from(["program", "letters", "list"]);
        assert!(PackageFile::from_arg_matches(&matches).is_err());
        assert!(matches!(Cli::from_arg_matches(&matches).unwrap().command, Some(Work::Letters(Letters::List))));
        assert!(command::<Cli>().try_get_matches_from(["program"]).is_ok(), "a command is not required");
    }

    #[test]
    fn settings_are_given_before_a_command_or_behind_it() {
        let given = |arguments: &[&str]| {
            let matches = command::<Cli>().try_get_matches_from(arguments).unwrap();
            let SettingsArgs { env_file, set } = SettingsArgs::from_arg_matches(&matches).unwrap();
            (env_file, set.join(","))
        };
        let file = Some(PathBuf::from("prod.env"));
        assert_eq!(given(&["program"]), (None, String::new()));
        assert_eq!(given(&["program", "--env-file", "prod.env", "--set", "A=1", "--set=B=2", "run"]), (file.clone(), "A=1,B=2".to_owned()));
        assert_eq!(given(&["program", "letters", "list", "--set", "A=1", "--env-file", "prod.env"]), (file, "A=1".to_owned()));
    }

    #[test]
    fn every_shell_is_told_every_command() {
        for shell in Shell::value_variants() {
            let script = completions(*shell, command::<Cli>());
            for name in ["program", "run", "letters", "list", "completions", "man"] {
                assert!(script.contains(name), "{shell}: {name}");
            }
        }
    }

    #[test]
    fn a_page_names_every_command_and_each_has_one() {
        let text = page(command::<Cli>()).unwrap();
        for name in ["run", "letters", "completions", "man"] {
            assert!(text.contains(&format!("program\\-{name}(1)")), "{name}: {text}");
        }
        let folder = std::env::temp_dir().join(format!("event-pipeline-man-{}", std::process::id()));
        pages(command::<Cli>(), &folder).unwrap();
        let mut names: Vec<_> =
            std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        names.sort_unstable();
        assert_eq!(
            names,
            ["program-completions.1", "program-letters-list.1", "program-letters.1", "program-man.1", "program-run.1", "program.1"]
        );
    }
}
