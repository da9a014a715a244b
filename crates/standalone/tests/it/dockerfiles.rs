//! The Dockerfiles and what they are given.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::repository::text;

const FILES: [&str; 2] = ["Dockerfile.consumer", "Dockerfile.producer"];

/// The instructions of a Dockerfile, continued lines joined: word and rest.
fn instructions(file: &str) -> Vec<(String, String)> {
    let text: String = text(file).lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| format!("{line}\n")).collect();
    let joined = text.replace("\\\n", " ");
    let split = |line: &str| line.split_once(' ').map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()));
    joined.lines().filter_map(split).collect()
}

/// The instructions of the image that a build makes without a target: those after the last FROM, and what its stage inherits.
fn final_image(file: &str) -> BTreeMap<String, String> {
    let all = instructions(file);
    let stages: Vec<&[(String, String)]> = all.split_inclusive(|(word, _)| word == "FROM").collect();
    // Each part ends with the FROM of the next stage.
    let (parent, last) = (&all[..all.len() - stages.last().unwrap().len()], *stages.last().unwrap());
    let (_, base) = parent.last().unwrap();
    let start = parent.iter().position(|(word, rest)| word == "FROM" && rest.ends_with(&format!(" AS {base}")));
    let inherited = start.map_or(&[][..], |start| {
        let end = parent[start + 1..].iter().position(|(word, _)| word == "FROM").unwrap();
        &parent[start + 1..start + 1 + end]
    });
    inherited.iter().chain(last).cloned().collect()
}

#[test]
fn base_images_are_arguments_with_a_version() {
    for file in FILES {
        let all = instructions(file);
        let arguments: Vec<_> = all.iter().take_while(|(word, _)| word == "ARG").map(|(_, rest)| rest.split_once('=').unwrap()).collect();
        assert_eq!(arguments.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["BUILD_IMAGE", "RUNTIME_IMAGE"], "{file}");
        for (_, image) in &arguments {
            let (_, version) = image.split_once(':').unwrap();
            assert!(version != "latest" && version.contains("bookworm"), "{file}: build and runtime share a C library: {image}");
        }
        let stages: Vec<_> = all.iter().filter_map(|(_, rest)| rest.rsplit_once(" AS ").map(|(_, name)| name)).collect();
        for (_, base) in all.iter().filter(|(word, _)| word == "FROM") {
            let base = base.split(' ').next().unwrap();
            assert!(["${BUILD_IMAGE}", "${RUNTIME_IMAGE}"].contains(&base) || stages.contains(&base), "{file}: {base}");
        }
    }
}

#[test]
fn every_build_takes_the_locked_versions_and_dependencies_have_a_layer_of_their_own() {
    for file in FILES {
        let builds: Vec<_> = instructions(file).into_iter().filter(|(_, rest)| rest.contains("cargo build")).collect();
        assert!(builds.len() >= 2, "{file}");
        for (_, build) in &builds {
            assert!(build.contains("--release --locked --package"), "{file}: {build}");
        }
        let order: Vec<_> = instructions(file).into_iter().map(|(word, rest)| format!("{word} {rest}")).collect();
        let place = |what: &str| order.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{file}: {what}"));
        assert!(place("COPY --from=manifests") < place("cargo build") && place("cargo build") < place("touch"), "{file}");
    }
}

#[test]
fn a_build_is_told_the_commit_after_the_dependencies_and_before_the_programs() {
    for file in FILES {
        let order: Vec<_> = instructions(file).into_iter().map(|(word, rest)| format!("{word} {rest}")).collect();
        let place = |what: &str| order.iter().position(|line| line == what).unwrap_or_else(|| panic!("{file}: {what}"));
        let stage = place("FROM dependencies AS build");
        let told = place("ENV EVENT_PIPELINE_COMMIT=${REVISION} EVENT_PIPELINE_BUILD_DATE=${BUILD_DATE}");
        let build = order.iter().skip(stage).position(|line| line.contains("cargo build")).unwrap() + stage;
        for argument in ["ARG REVISION", "ARG BUILD_DATE"] {
            assert!((stage..told).contains(&place(argument)), "{file}: {argument}");
        }
        assert!(told < build, "{file}");
    }
}

#[test]
fn the_image_runs_one_program_without_a_shell_and_not_as_root() {
    for (file, program) in [("Dockerfile.consumer", "consumer"), ("Dockerfile.producer", "producer")] {
        let image = final_image(file);
        assert_eq!(serde_json::from_str::<Value>(&image["ENTRYPOINT"]).unwrap(), serde_json::json!([program]), "{file}: exec form");
        assert_eq!(image["STOPSIGNAL"], "SIGTERM", "{file}: the signal that the program listens to");
        let user = image["USER"].split(':').next().unwrap();
        assert!(user.parse::<u32>().is_ok_and(|id| id > 999), "{file}: {user}");
        assert!(!image.contains_key("RUN"), "{file}: a base image without a shell will do");
        for label in ["title", "description", "licenses", "version", "revision"] {
            assert!(image["LABEL"].contains(&format!("org.opencontainers.image.{label}=")), "{file}: {label}");
        }
        assert!(instructions(file).contains(&("ARG".to_owned(), format!("VERSION={}", env!("CARGO_PKG_VERSION")))), "{file}");
    }
}

#[test]
fn health_is_asked_by_the_program_itself_where_there_is_a_server() {
    let health = &final_image("Dockerfile.consumer")["HEALTHCHECK"];
    let (options, command) = health.split_once("CMD ").unwrap();
    assert_eq!(serde_json::from_str::<Value>(command).unwrap(), serde_json::json!(["consumer", "healthcheck"]));
    assert!(options.contains("--interval=") && options.contains("--timeout="), "{options}");
    assert_eq!(final_image("Dockerfile.producer")["HEALTHCHECK"], "NONE");
}

#[test]
fn a_build_is_given_sources_and_nothing_else() {
    let ignored = text(".dockerignore");
    let lines: Vec<_> = ignored.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines[0], "*", "everything is left out");
    let taken: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix('!')).collect();
    assert_eq!(taken, ["Cargo.toml", "Cargo.lock", "crates", "migrations"], "but these");
    for file in FILES {
        for (word, rest) in instructions(file) {
            assert!(word != "ADD" && !(word == "COPY" && rest.starts_with(". ")), "{file}: {word} {rest}");
        }
    }
}
