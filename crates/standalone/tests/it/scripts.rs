//! `demo.sh` and `demo.ps1` say and do the same.

use std::collections::BTreeSet;
use std::process::Command;

use crate::repository::{root, text};

/// What a script says to a person: its quoted sentences, names of the two scripts and of the option made equal.
fn sentences(script: &str) -> BTreeSet<String> {
    let text = text(script).replace(".\\demo.ps1", "./demo.sh").replace("-Compose", "--compose");
    let quoted = text.split('\'').skip(1).step_by(2).map(str::to_owned);
    quoted.filter(|sentence| sentence.contains(' ') && sentence.starts_with(|c: char| c.is_uppercase() || c == '-')).collect()
}

#[test]
fn both_demo_scripts_say_the_same_and_run_the_same() {
    let (shell, powershell) = (sentences("demo.sh"), sentences("demo.ps1"));
    assert!(shell.len() >= 7, "{shell:?}");
    let missing: Vec<_> = shell.difference(&powershell).collect();
    assert!(missing.is_empty(), "demo.ps1 does not say {missing:?}");
    for command in
        ["cargo run --release --package standalone -- demo", "compose run --rm --build demo", "compose up --detach --wait --build"]
    {
        assert!(text("demo.sh").contains(command) && text("demo.ps1").contains(command), "{command}");
    }
}

/// PowerShell goes on after a program that failed, and ends with 0.
#[test]
fn demo_ps1_asks_of_each_program_whether_it_failed_and_ends_with_the_demos_own_code() {
    let script = text("demo.ps1");
    let code: Vec<&str> = script.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let runs = |line: &str| line.starts_with("docker ") || line.starts_with("cargo ");
    let after: Vec<_> = code.windows(2).filter(|pair| runs(pair[0])).map(|pair| (pair[0], pair[1])).collect();
    assert_eq!(after.len(), code.iter().filter(|line| runs(line)).count(), "the last line runs a program");
    assert_eq!(after.iter().filter(|(program, _)| program.ends_with(" demo")).count(), 2, "on the stack, and in one process");
    for (program, next) in after {
        let ends = next == "exit $LASTEXITCODE";
        assert!(ends || (next.starts_with("if ($LASTEXITCODE -ne 0) {") && !program.ends_with(" demo")), "{program}\n{next}");
    }
}

#[cfg(unix)]
#[test]
fn demo_sh_refuses_what_it_does_not_know_and_says_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new("/bin/bash");
        // Only the shell's own tools: neither Docker nor Rust.
        std::fs::create_dir_all(folder.path().join("bin")).unwrap();
        let output = command.arg(root().join("demo.sh")).args(arguments).env("PATH", folder.path().join("bin")).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for tool in ["dirname", "sed"] {
        let found = ["/usr/bin", "/bin"].iter().map(|place| std::path::Path::new(place).join(tool)).find(|path| path.exists()).unwrap();
        std::fs::create_dir_all(folder.path().join("bin")).unwrap();
        std::os::unix::fs::symlink(found, folder.path().join("bin").join(tool)).unwrap();
    }
    assert_eq!(run(&["--nonsense"]).0, Some(2));
    let (code, said) = run(&[]);
    assert!(code == Some(2) && said.contains("rustup.rs"), "{said}");
    let (code, said) = run(&["--compose"]);
    assert!(code == Some(2) && said.contains("docs.docker.com"), "{said}");
}
