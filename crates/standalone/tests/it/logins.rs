//! The logins of the stack in containers: each program has its own, with its role, and the owner's is for those who set up.

use std::collections::{BTreeMap, BTreeSet};

use crate::compose::{environment, services};
use crate::repository::{text, texts};

/// Programs by service, with the role of `migrations/roles.sql` that each has.
const ROLES: [(&str, &str); 2] = [("consumer", "event_pipeline_consumer"), ("api", "event_pipeline_api")];
/// Who may do anything: they make what the others use.
const SET_UP: [&str; 3] = ["mssql", "migrate", "logins"];
const SQLCMD: &str = "/opt/mssql-tools18/bin/sqlcmd";

fn value(service: &str, variable: &str) -> String {
    let set = environment(&services()[service]);
    set.get(variable).and_then(|value| value.as_str()).unwrap_or_else(|| panic!("{service} has no {variable}")).to_owned()
}

/// The name of the variable of `.env` in `${NAME:?…}`.
fn required(value: &str) -> &str {
    value.strip_prefix("${").and_then(|rest| rest.split_once(":?")).unwrap_or_else(|| panic!("{value} is not required")).0
}

#[test]
fn each_program_logs_in_as_itself_and_the_owner_only_sets_up() {
    let mut passwords = BTreeSet::from(["MSSQL_PASSWORD".to_owned()]);
    for (program, _) in ROLES {
        assert_eq!(value(program, "MSSQL_USER"), program);
        assert!(passwords.insert(required(&value(program, "MSSQL_PASSWORD")).to_owned()), "{program} has a password of its own");
        assert_eq!(services()[program]["depends_on"]["logins"]["condition"], "service_completed_successfully");
    }
    assert_eq!(value("migrate", "MSSQL_USER"), "sa");
    for (name, service) in services() {
        let owners = environment(&service).values().any(|value| value.as_str().is_some_and(|value| value.starts_with("${MSSQL_PASSWORD")));
        assert_eq!(owners, SET_UP.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn the_script_gives_each_login_its_user_and_its_role_and_no_other() {
    let script = text("migrations/logins.sql");
    let code: Vec<_> = script.lines().map(str::trim).filter(|line| !line.starts_with("--")).collect();
    for (login, role) in ROLES {
        let password = format!("{}_PASSWORD", login.to_uppercase());
        assert_eq!(required(&value("logins", &password)), required(&value(login, "MSSQL_PASSWORD")), "what is made is what is used");
        for statement in [
            format!("CREATE LOGIN {login} WITH PASSWORD = N'$({password})';"),
            format!("ALTER LOGIN {login} WITH PASSWORD = N'$({password})';"),
            format!("CREATE USER {login} FOR LOGIN {login};"),
            format!("ALTER ROLE {role} ADD MEMBER {login};"),
        ] {
            assert!(code.contains(&statement.as_str()), "{statement}");
        }
        assert!(text("migrations/roles.sql").contains(&format!("CREATE ROLE {role};")), "{role}");
    }
    let made = |beginning| code.iter().filter(|line| line.starts_with(beginning)).count();
    assert_eq!([made("CREATE LOGIN"), made("ALTER ROLE")], [ROLES.len(), ROLES.len()]);
    assert!(!script.contains("sp_addrolemember") && !script.contains("ALTER SERVER ROLE"));
}

/// What the service runs, with a stand-in for `sqlcmd` that tells what it was given.
#[cfg(unix)]
#[test]
fn passwords_reach_sqlcmd_by_its_environment_alone_and_none_ends_the_text_that_it_stands_in() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let sqlcmd = folder.path().join("sqlcmd");
    std::fs::write(&sqlcmd, "#!/bin/bash\nprintf '%s\\n' \"$*\" \"$SQLCMDPASSWORD\" \"$CONSUMER_PASSWORD\" \"$API_PASSWORD\"\n").unwrap();
    std::fs::set_permissions(&sqlcmd, PermissionsExt::from_mode(0o755)).unwrap();

    let service = &services()["logins"];
    let command = texts(&service["command"])[0].replace("$$", "$").replace(SQLCMD, sqlcmd.to_str().unwrap());
    let [shell, options] = texts(&service["entrypoint"])[..] else { panic!("a shell and its options") };
    let given = BTreeMap::from([
        ("MSSQL_DATABASE", "eventdb"),
        ("SQLCMDPASSWORD", "Owner's 1"),
        ("CONSUMER_PASSWORD", "it's 'Aa1' & $(x) \"$HOME\" \\"),
        ("API_PASSWORD", "Aa1"),
    ]);
    let run = || std::process::Command::new(shell).args([options, &command]).envs(&given).output().unwrap();
    let output = run();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen = |script| {
        format!("-C -S mssql -U sa -d eventdb -l 30 -b -i /migrations/{script}.sql\nOwner's 1\nit''s ''Aa1'' & $(x) \"$HOME\" \\\nAa1\n")
    };
    // Roles first: the logins' users are put into them.
    assert_eq!(String::from_utf8(output.stdout).unwrap(), seen("roles") + &seen("logins"));

    std::fs::write(&sqlcmd, "#!/bin/bash\necho \"$*\"\nexit 1\n").unwrap();
    let output = run();
    assert_eq!((output.status.success(), output.stdout.split(|byte| *byte == b'\n').count()), (false, 2), "the first that fails ends it");
}
