//! What a package of this program installs.

#[test]
fn completions_and_manual_pages_name_every_command() {
    testkit::command_line::hold_package_files(env!("CARGO_BIN_EXE_consumer"));
}

#[test]
fn the_help_of_every_command_has_one_form() {
    testkit::command_line::hold_help(env!("CARGO_BIN_EXE_consumer"));
}
