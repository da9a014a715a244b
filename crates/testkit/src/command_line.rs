//! What a package of a program installs, as the program writes it: completions and manual pages.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use crate::watched::program;

/// Holds the program at this path to its help: completions and manual pages name every command that the help lists, `bash` reads the
/// completions, and neither a setting nor an open standard output is needed.
pub fn hold_package_files(path: &str) {
    let name = Path::new(path).file_stem().unwrap().to_str().unwrap();
    let commands = commands(path, &[]);
    for own in [["completions"], ["man"]] {
        assert!(commands.iter().any(|command| *command == own), "{name}: {commands:?}");
    }
    let script = said(path, &["completions", "bash"]);
    let page = said(path, &["man"]);
    for command in &commands {
        // The script is a machine whose states are the words so far, joined; here is a word that it goes on with.
        let (word, parents) = command.split_last().unwrap();
        let state = [&[name.to_owned()], parents].concat().join("-").replace('-', "__subcmd__");
        assert!(script.contains(&format!(" {state},{word})\n")), "{name}: {command:?}");
        let reference = format!("{name}\\-{}(1)", command[0].replace('-', "\\-"));
        assert!(page.contains(&reference), "{name}: {reference} is not in {page}");
    }
    assert_bash_reads(&script);
    assert_one_page_each(path, name, &commands);
    closed_output_is_no_panic(path);
}

/// Holds the help of every command of the program at this path to one form: the headings in one order, what every command has at the end and the same
/// everywhere, and how the answer is written behind the command's own options.
pub fn hold_help(path: &str) {
    let settings = options(&said(path, &["--help"]), "Settings");
    assert_eq!(settings[settings.len().saturating_sub(2)..], ["--env-file", "--set"], "{path}");
    for command in [vec![vec![]], commands(path, &[])].concat() {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = said(path, &arguments);
        let headings: Vec<_> = help.lines().filter(|line| ["Commands:", "Arguments:", "Options:", "Settings:"].contains(line)).collect();
        let known = ["Commands:", "Arguments:", "Options:", "Settings:"];
        assert!(headings.is_sorted_by_key(|heading| known.iter().position(|known| known == heading)), "{command:?}: {headings:?}");
        assert_eq!(options(&help, "Settings"), settings, "{command:?}");
        let mut own = options(&help, "Options");
        own.retain(|option| option != "--version");
        assert_eq!(own.pop().as_deref(), Some("--help"), "{command:?}");
        // An event may be given as JSON too, which is no way to write an answer.
        let written = |option: &String| option == "--output" || (option == "--json" && !help.contains("--json <"));
        assert!(own.iter().rposition(|option| !written(option)) < own.iter().position(written).or(Some(own.len())), "{command:?}: {own:?}");
        let json = help.split("      --json\n").nth(1).map(|text| text.trim_start().lines().next().unwrap_or_default());
        let is_said_alike = |text: &str| ["As JSON", "One JSON object per "].iter().any(|begin| text.starts_with(begin));
        assert!(json.is_none_or(is_said_alike), "{command:?}: {json:?}");
    }
}

/// Holds the program at this path to one way to say that something is wrong, and to the exit codes of the README: one word before it, on the standard
/// error alone; 2 for wrong usage and for a setting that is wrong, which these arguments have it read, and 1 where what was asked for fails.
pub fn hold_errors(path: &str, arguments: &[&str]) {
    let folder = std::env::temp_dir().join(format!("event-pipeline-errors-{}", uuid::Uuid::new_v4()));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("file"), "").unwrap();
    let in_a_file = folder.join("file/pages");
    for (code, arguments) in
        [(2, &["--nonsense"][..]), (2, &["nonsense"]), (2, arguments), (1, &["man", "--out", in_a_file.to_str().unwrap()])]
    {
        let mut command = program(path);
        command
            .args(arguments)
            .current_dir(&folder)
            .stdin(Stdio::null())
            .envs([("KAFKA_SECURITY_PROTOCOL", "nonsense"), ("API_PORT", "nonsense")]);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{path} {arguments:?}: {said}");
        assert!(said.starts_with("error: ") && output.stdout.is_empty(), "{path} {arguments:?}: {said}");
        assert_eq!(said.matches("error:").count(), 1, "{path} {arguments:?}: {said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    for arguments in [["--version"], ["--help"]] {
        let output = program(path).args(arguments).output().unwrap();
        assert!(output.status.code() == Some(0) && output.stderr.is_empty(), "{path} {arguments:?}");
    }
}

/// The names of the commands that the help of this program lists, in its order.
pub fn top_commands(path: &str) -> Vec<String> {
    commands(path, &[]).into_iter().filter(|command| command.len() == 1).flatten().collect()
}

/// The options under this heading.
fn options(help: &str, heading: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| line.strip_suffix(':') != Some(heading)).skip(1);
    // An option stands two or six spaces in, its text further; the next heading or text stands at the margin.
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with(' ')).filter(|line| !line.starts_with("          "));
    lines.filter_map(|line| line.split([' ', ',']).find(|word| word.starts_with("--"))).map(str::to_owned).collect()
}

/// What the program says; it must work, with nothing on stderr and a setting that is wrong.
fn said(path: &str, arguments: &[&str]) -> String {
    let output = program(path).args(arguments).env("KAFKA_SECURITY_PROTOCOL", "nonsense").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{path} {arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Every command that the help of this one lists, and those of these.
fn commands(path: &str, of: &[String]) -> Vec<Vec<String>> {
    let arguments: Vec<&str> = of.iter().map(String::as_str).chain(["--help"]).collect();
    let help = said(path, &arguments);
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line of a command stands two spaces in, what its text goes on with further.
    let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let mut found = Vec::new();
    for name in names.map(|line| line.split(' ').next().unwrap()).filter(|name| *name != "help") {
        let command: Vec<String> = of.iter().cloned().chain([name.to_owned()]).collect();
        found.extend([vec![command.clone()], commands(path, &command)].concat());
    }
    found
}

/// Where there is a `bash`.
fn assert_bash_reads(script: &str) {
    let bash = std::process::Command::new("bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut bash) = bash else { return };
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

fn assert_one_page_each(path: &str, name: &str, commands: &[Vec<String>]) {
    let folder = std::env::temp_dir().join(format!("event-pipeline-man-{}", uuid::Uuid::new_v4()));
    said(path, &["man", "--out", folder.join("new").to_str().unwrap()]);
    let written: BTreeSet<String> =
        std::fs::read_dir(folder.join("new")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let output = program(path).args(["man", "--out"]).arg(folder.join(format!("new/{name}.1"))).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let expected = commands.iter().map(|command| format!("{name}-{}.1", command.join("-"))).chain([format!("{name}.1")]).collect();
    assert_eq!(written, expected, "{name}");
    let problem = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && problem.contains("--out"), "a file is no folder: {problem}");
}

/// `program completions bash | head -0` has nobody who reads.
fn closed_output_is_no_panic(path: &str) {
    for arguments in [["completions", "zsh"].as_slice(), &["man"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program(path).args(arguments).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{path} {arguments:?}: {output:?}");
    }
}
