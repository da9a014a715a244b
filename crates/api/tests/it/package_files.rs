//! What a package of this program installs.

#[test]
fn completions_and_manual_pages_name_every_command() {
    testkit::command_line::hold_package_files(env!("CARGO_BIN_EXE_api"));
}

#[test]
fn the_help_of_every_command_has_one_form() {
    testkit::command_line::hold_help(env!("CARGO_BIN_EXE_api"));
}

#[test]
fn what_is_wrong_is_said_in_one_way_and_told_by_the_exit_code() {
    testkit::command_line::hold_errors(env!("CARGO_BIN_EXE_api"), &[]);
}
