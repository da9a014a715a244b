//! A whole check: the settings, then every part of which they are right.

use std::fmt::Display;
use std::future::Future;
use std::iter;
use std::process::ExitCode;
use std::time::Duration;

use pipeline::fault::{Dependency, Fault, FaultClass};
use settings::Reader;
use telemetry::output::print_line;
use telemetry::{LoggingConfig, logging};

use crate::{Finding, Report};

/// How long each part may take to answer.
const BOUND: Duration = Duration::from_secs(10);

/// Tests the settings that `read` reads, and has `ask` ask every part of which they are right. `warnings` are sentences about settings besides. 0 where
/// nothing failed, 1 where something did, 2 for wrong settings.
pub fn check<P>(
    json: bool,
    read: impl FnOnce(&mut Reader) -> P,
    warnings: impl FnOnce(&Reader) -> Vec<String>,
    ask: impl AsyncFnOnce(&P) -> Vec<Finding>,
) -> ExitCode {
    let mut env = match Reader::from_environment() {
        Ok(env) => env,
        Err(problem) => return wrong(&problem),
    };
    // What is wrong stands in the table.
    let (parts, logging) = (read(&mut env), LoggingConfig::read_or(&mut env, "off"));
    let noted = SettingsNote::of(&env, warnings(&env));
    let (mut findings, is_right) = match env.finish() {
        Ok(_) => (noted.findings(), true),
        Err(problems) => {
            let finding =
                |problem: settings::Problem| Finding::fail("settings", problem.name, problem.message, "set it right, then check again");
            (problems.0.into_iter().map(finding).chain(noted.warnings()).collect(), false)
        }
    };
    let asked = logging::init(&logging).map_err(anyhow::Error::from).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Ok(runtime.block_on(ask(&parts)))
    });
    match asked {
        Ok(found) => findings.extend(found),
        Err(error) => return wrong(&error),
    }
    let report = Report::of(findings);
    let code = match (is_right, report.ok) {
        (false, _) => ExitCode::from(2),
        (true, false) => ExitCode::FAILURE,
        (true, true) => ExitCode::SUCCESS,
    };
    show(&report, json, code)
}

/// What is to be found of settings that are right. A program that runs notes it when it reads them.
#[derive(Clone, Debug, Default)]
pub struct SettingsNote {
    variables: usize,
    warnings: Vec<String>,
}

impl SettingsNote {
    /// Of the settings that were read so far. `warnings` are sentences about them, beside those about names that are none.
    pub fn of(env: &Reader, warnings: Vec<String>) -> Self {
        Self { variables: env.variables().len(), warnings: [env.near_misses(), warnings].concat() }
    }

    /// How many there are, and what is to be known of them.
    pub fn findings(&self) -> Vec<Finding> {
        let all = Finding::ok(
            "settings",
            "all",
            format!("{} variable{} can be used", self.variables, if self.variables == 1 { "" } else { "s" }),
        );
        iter::once(all).chain(self.warnings()).collect()
    }

    /// What is to be known of them, as sentences.
    pub fn sentences(&self) -> &[String] {
        &self.warnings
    }

    fn warnings(&self) -> impl Iterator<Item = Finding> {
        self.warnings.iter().map(|warning| Finding::warn("settings", "names", warning, "rename it, or remove it"))
    }
}

fn show(report: &Report, json: bool, code: ExitCode) -> ExitCode {
    let printed = match json.then(|| serde_json::to_string(report)) {
        Some(Ok(text)) => print_line(text),
        Some(Err(_)) | None => print_line(report),
    };
    if printed { code } else { ExitCode::FAILURE }
}

/// Says what is wrong with the settings or the command line; the code of that.
pub fn wrong(problem: &impl Display) -> ExitCode {
    eprintln!("error: {problem}");
    ExitCode::from(2)
}

/// A part's answer, or that there was none in time: one that hangs does not hide the others.
///
/// # Errors
/// The part's own, or that it did not answer.
pub async fn bounded<T>(dependency: Dependency, subject: &'static str, answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let fault = Fault { dependency, class: FaultClass::Unavailable { timed_out: true }, code: None, subject };
    tokio::time::timeout(BOUND, answer).await.unwrap_or(Err(fault))
}

/// Adds how each address failed, where the server's name has several, to what was found of the login.
pub fn with_addresses(mut findings: Vec<Finding>, tried: Option<&str>) -> Vec<Finding> {
    let login = findings.iter_mut().find(|finding| finding.check == Finding::LOGIN);
    if let (Some(login), Some(tried)) = (login, tried) {
        login.found = format!("{}: {tried}", login.found);
    }
    findings
}
