//! What is asked for about dead letters.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::ValueEnum as _;
use serde::Deserialize;

use crate::admin::answer::Refused;
use crate::dlq::command;
use crate::dlq::filter::{Filter, event_type as known_type};
use crate::dlq::stats::By;

/// `GET /admin/dlq?…`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListQuery {
    reason: Option<String>,
    fingerprint: Option<String>,
    event_type: Option<String>,
    older_than: Option<String>,
    pub limit: Option<u64>,
    pub start: Option<u64>,
}

impl ListQuery {
    pub fn filter(&self) -> Result<Filter, Refused> {
        filter(BTreeSet::new(), &self.reason, &self.fingerprint, &self.event_type, self.older_than.as_deref())
    }
}

/// `GET /admin/dlq/export?…`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ExportQuery {
    reason: Option<String>,
    fingerprint: Option<String>,
    event_type: Option<String>,
    older_than: Option<String>,
}

impl ExportQuery {
    pub fn filter(&self) -> Result<Filter, Refused> {
        filter(BTreeSet::new(), &self.reason, &self.fingerprint, &self.event_type, self.older_than.as_deref())
    }
}

/// `GET /admin/dlq/stats?…`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StatsQuery {
    reason: Option<String>,
    fingerprint: Option<String>,
    event_type: Option<String>,
    older_than: Option<String>,
    by: Option<String>,
}

impl StatsQuery {
    pub fn filter(&self) -> Result<Filter, Refused> {
        filter(BTreeSet::new(), &self.reason, &self.fingerprint, &self.event_type, self.older_than.as_deref())
    }

    /// What is counted only where it is asked for.
    pub fn by(&self) -> Result<Vec<By>, Refused> {
        let Some(text) = &self.by else { return Ok(Vec::new()) };
        let by: Result<_, _> = text.split(',').map(|one| By::from_str(one, false)).collect();
        by.map_err(|_| Refused::bad("by must be key, minute, or both with a comma between."))
    }
}

/// `POST /admin/dlq/{id}/edit?…`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EditQuery {
    #[serde(default)]
    pub dry_run: bool,
}

/// `POST /admin/dlq/import?…`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ImportQuery {
    /// Also what cannot be read as a dead letter.
    #[serde(default)]
    pub any: bool,
}

/// The parameters of `GET /admin/dlq/jobs/{id}`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LettersQuery {
    /// Only letters after this id.
    pub after: Option<String>,
    /// With how each ended that was sent.
    #[serde(default)]
    pub ended: bool,
}

/// The parameters of `POST /admin/dlq/jobs/{id}/resume`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ResumeQuery {
    rate: Option<String>,
}

impl ResumeQuery {
    /// So many per second.
    pub fn rate(&self) -> Result<Option<f64>, Refused> {
        self.rate.as_deref().map(rate_of).transpose()
    }
}

fn rate_of(text: &str) -> Result<f64, Refused> {
    command::rate(text).map_err(|problem| Refused::bad(format!("rate: {problem}.")))
}

/// The body of `POST /admin/dlq/redrive`, and, of its fields the first seven, of `POST /admin/dlq/purge`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RedriveBody {
    #[serde(default)]
    ids: Vec<String>,
    reason: Option<String>,
    fingerprint: Option<String>,
    event_type: Option<String>,
    older_than: Option<String>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    pub dry_run: bool,
    pub limit: Option<u64>,
    rate: Option<Rate>,
    pub max_retries: Option<u32>,
    wait: Option<u64>,
}

/// A number per second, or a text such as `30/m`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Rate {
    Number(f64),
    Text(String),
}

impl RedriveBody {
    /// Beginnings of ids.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The filter with these ids in full.
    pub fn filter(&self, ids: BTreeSet<String>) -> Result<Filter, Refused> {
        let filter = filter(ids, &self.reason, &self.fingerprint, &self.event_type, self.older_than.as_deref())?;
        if filter.is_empty() && self.ids.is_empty() && !self.all {
            return Err(Refused::bad("Say which dead letters: by ids, reason, fingerprint, eventType or olderThan, or with all: true."));
        }
        Ok(filter)
    }

    /// So many per second.
    pub fn rate(&self) -> Result<Option<f64>, Refused> {
        let text = match &self.rate {
            None => return Ok(None),
            Some(Rate::Number(number)) => number.to_string(),
            Some(Rate::Text(text)) => text.clone(),
        };
        rate_of(&text).map(Some)
    }

    /// How long to wait for how the letters end, where that is asked.
    pub fn wait(&self) -> Option<Duration> {
        self.wait.map(Duration::from_secs)
    }

    /// Whether it says how to send, which a purge does not.
    pub const fn says_how_to_send(&self) -> bool {
        self.limit.is_some() || self.rate.is_some() || self.max_retries.is_some() || self.wait.is_some()
    }
}

fn filter(
    ids: BTreeSet<String>,
    reason: &Option<String>,
    fingerprint: &Option<String>,
    event_type: &Option<String>,
    older_than: Option<&str>,
) -> Result<Filter, Refused> {
    let older_than: Option<Duration> = match older_than {
        None => None,
        Some(text) => Some(
            settings::span::parse(text)
                .ok_or_else(|| Refused::bad("olderThan must be a number with a unit, such as 90s, 15m, 1h or 7d."))?,
        ),
    };
    let event_type = event_type.as_deref().map(known_type).transpose().map_err(|wrong| Refused::bad(format!("{wrong}.")))?;
    let (reason, fingerprint) = (reason.clone(), fingerprint.clone());
    Ok(Filter { ids, reason, fingerprint, event_type, older_than, until: None })
}
