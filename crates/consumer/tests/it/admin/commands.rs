//! Whatever the command line can do, `/admin` can do too, or says why not.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _};
use consumer::admin::commands::{COMMANDS, OverHttp};
use consumer::cli::Cli;

use super::document::operations;

/// What can be asked for beneath a command, by its words.
fn beneath(command: &Command, words: &[&str]) -> Vec<String> {
    let itself = (!words.is_empty() && !command.is_subcommand_required_set()).then(|| words.join(" "));
    let further = command.get_subcommands().flat_map(|one| beneath(one, &[words, &[one.get_name()]].concat()));
    itself.into_iter().chain(further).collect()
}

#[test]
fn every_command_is_served_or_says_why_not() {
    let commands = beneath(&Cli::command(), &[]);
    assert!(commands.len() > 25, "{commands:?}");
    assert_eq!(
        COMMANDS.map(|(command, _)| command).to_vec(),
        commands,
        "one that is missing here: add it to COMMANDS, with its path or a reason"
    );
}

#[test]
fn every_path_that_a_command_names_is_described_and_every_path_is_that_of_a_command() {
    let described: BTreeSet<_> = operations().map(|(path, method, _)| (method.to_uppercase(), path)).collect();
    let mut named = BTreeSet::from([("GET".to_owned(), "/admin/openapi.json")]);
    for (command, over_http) in COMMANDS {
        match over_http {
            OverHttp::At(places) => {
                assert!(!places.is_empty(), "{command}");
                named.extend(places.iter().map(|(method, path)| ((*method).to_owned(), *path)));
            }
            OverHttp::Never(reason) => assert!(reason.len() > 10, "{command}: {reason}"),
        }
    }
    assert_eq!(named, described);
}
