//! Which command of the command line is which path of `/admin`, and which has none. A test holds this list to the commands, and to the paths.

use std::fmt::Write as _;

/// How a command is reached over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverHttp {
    /// By these methods and paths.
    At(&'static [(&'static str, &'static str)]),
    /// Not at all, for this reason.
    Never(&'static str),
}

use OverHttp::{At, Never};

/// Every command of `consumer`, in the order of its help.
pub const COMMANDS: [(&str, OverHttp); 29] = [
    ("run", Never("it is what answers")),
    ("check", At(&[("GET", "/admin/check"), ("POST", "/admin/check")])),
    ("migrate", Never("it needs the right to change the schema, which a program that consumes is better without")),
    ("status", At(&[("GET", "/admin/status"), ("GET", "/admin/consumers")])),
    ("trace", At(&[("GET", "/admin/trace")])),
    ("verify", At(&[("GET", "/admin/verify"), ("POST", "/admin/verify")])),
    ("parked list", At(&[("GET", "/admin/parked")])),
    ("parked show", At(&[("GET", "/admin/parked/{parent}")])),
    ("peek", At(&[("GET", "/admin/peek")])),
    ("replay", Never("it moves the offsets of a group whose programs are all stopped, those that would answer among them")),
    ("ledger compact", At(&[("POST", "/admin/ledger/compact")])),
    ("resume", At(&[("POST", "/admin/resume")])),
    ("dlq list", At(&[("GET", "/admin/dlq")])),
    ("dlq show", At(&[("GET", "/admin/dlq/{id}")])),
    ("dlq stats", At(&[("GET", "/admin/dlq/stats")])),
    ("dlq redrive", At(&[("POST", "/admin/dlq/redrive")])),
    ("dlq jobs", At(&[("GET", "/admin/dlq/jobs")])),
    ("dlq jobs list", At(&[("GET", "/admin/dlq/jobs")])),
    ("dlq jobs show", At(&[("GET", "/admin/dlq/jobs/{id}")])),
    ("dlq jobs pause", At(&[("POST", "/admin/dlq/jobs/{id}/pause")])),
    ("dlq jobs resume", At(&[("POST", "/admin/dlq/jobs/{id}/resume")])),
    ("dlq jobs cancel", At(&[("POST", "/admin/dlq/jobs/{id}/cancel")])),
    ("dlq edit", At(&[("POST", "/admin/dlq/{id}/edit")])),
    ("dlq purge", At(&[("POST", "/admin/dlq/purge")])),
    ("dlq export", At(&[("GET", "/admin/dlq/export")])),
    ("dlq import", At(&[("POST", "/admin/dlq/import")])),
    ("audit", At(&[("GET", "/admin/audit")])),
    ("audit verify", At(&[("GET", "/admin/audit/verify")])),
    ("healthcheck", Never("it asks `GET /health/live`, which needs no token")),
];

/// The list as a table for the documents.
pub fn markdown_table() -> String {
    let mut table = "| command | over HTTP |\n|---|---|\n".to_owned();
    for (command, over_http) in COMMANDS {
        let told = match over_http {
            At(places) => places.iter().map(|(method, path)| format!("`{method} {path}`")).collect::<Vec<_>>().join(", "),
            Never(reason) => format!("not: {reason}"),
        };
        // Text can be written to a text.
        let _written = writeln!(table, "| `{command}` | {told} |");
    }
    table
}
