//! Waiting for a schema that this build can work on. Nothing is changed here: somebody migrates, and this goes on by itself.

use pipeline::backoff;
use pipeline::fault::{Dependency, Fault, FaultClass};
use sqlserver::SchemaState;
use telemetry::Health;
use tokio_util::sync::CancellationToken;

use crate::reason::{advice, reason};

/// What a look at the schema found.
type Found = Result<SchemaState, Fault>;

/// Looks at the schema until this build can work on it, however long that takes. `false` when the consumer was told to stop first.
pub(crate) async fn until_schema_fits(mut look: impl AsyncFnMut() -> Found, health: &Health, stop: &CancellationToken) -> bool {
    let mut told = None;
    let mut tries = 0;
    loop {
        tries += 1;
        health.beat();
        let found = tokio::select! {
            found = look() => found,
            () = stop.cancelled() => return false,
        };
        if let Some(why) = hindrance(&found) {
            health.down(Dependency::Database.label(), why);
        }
        // One line when it begins or its reason changes, none for the tries in between.
        if told.as_ref() != Some(&found) {
            log(&found);
        }
        if found.as_ref().is_ok_and(|state| state.fits()) {
            return true;
        }
        told = Some(found);
        tokio::select! {
            () = tokio::time::sleep(backoff::outage(tries, rand::random())) => {}
            () = stop.cancelled() => return false,
        }
    }
}

/// Why nothing can be consumed; `None` where it can.
fn hindrance(found: &Found) -> Option<String> {
    match found {
        Ok(state) if state.fits() => None,
        Ok(state) => Some(format!("{state}: {}", state.advice().unwrap_or_default())),
        Err(fault) => Some(reason(fault)),
    }
}

fn log(found: &Found) {
    match found {
        Ok(SchemaState::Current) => tracing::info!("the schema is the one that this program needs"),
        Ok(state @ SchemaState::Newer { .. }) => tracing::warn!("{state}: {}", state.advice().unwrap_or_default()),
        Ok(state) => {
            let advice = state.advice().unwrap_or_default();
            tracing::error!("{state}: {advice}. Nothing is consumed until then, the look is repeated");
        }
        Err(Fault { class, code, subject, .. }) if matches!(class, FaultClass::Unavailable { .. }) => {
            tracing::warn!(class = class.label(), code, subject, "waiting for the database before anything is consumed");
        }
        Err(fault @ Fault { class, code, subject, .. }) => {
            let advice = advice(fault).unwrap_or("look up the error number");
            tracing::error!(class = class.label(), code, subject, "the schema cannot be looked at, nothing is consumed: {advice}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    const MISSING: Found = Ok(SchemaState::Missing);
    const OLDER: Found = Ok(SchemaState::Older { found: 1, needed: 3 });
    const AWAY: Found = Err(Fault {
        dependency: Dependency::Database,
        class: FaultClass::Unavailable { timed_out: false },
        code: None,
        subject: "connect",
    });

    /// Finds these one after the other, and says what the health tells before each next look.
    async fn wait_through(found: &[Found]) -> (bool, Vec<Option<String>>) {
        let database = Dependency::Database.label();
        let (health, stop) = (Health::new(&[database], None), CancellationToken::new());
        let (mut found, mut told) = (found.iter().cloned().collect::<VecDeque<_>>(), Vec::new());
        let look = async || {
            told.push(health.ready_report().parts[database].reason.clone());
            found.pop_front().expect("it looks no further than it must")
        };
        let fits = until_schema_fits(look, &health, &stop).await;
        (fits, told)
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_by_itself_once_somebody_has_migrated() {
        let (fits, told) = wait_through(&[AWAY, MISSING, OLDER, OLDER, Ok(SchemaState::Current)]).await;
        assert!(fits);
        let reasons: Vec<_> = told.into_iter().skip(1).flatten().collect();
        assert!(reasons[0].contains("cannot be reached"), "{reasons:?}");
        assert_eq!(
            reasons[1..],
            [
                "the database has no tables of ours: run `consumer migrate`",
                "the schema is at version 1, this program needs version 3: run `consumer migrate`",
                "the schema is at version 1, this program needs version 3: run `consumer migrate`",
            ]
        );
    }

    #[tokio::test]
    async fn a_schema_that_fits_is_looked_at_once_also_a_newer_one() {
        for state in [SchemaState::Current, SchemaState::Newer { found: 9, known: 2 }] {
            assert_eq!(wait_through(&[Ok(state)]).await, (true, vec![Some("not reached yet".to_owned())]));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_consumer_that_is_told_to_stop_waits_for_no_schema() {
        let (health, stop) = (Health::new(&[], None), CancellationToken::new());
        let mut looks = 0;
        let look = async || {
            looks += 1;
            if looks == 3 {
                stop.cancel();
            }
            OLDER
        };
        assert!(!until_schema_fits(look, &health, &stop).await);
        assert_eq!(looks, 3);
        assert!(!until_schema_fits(async || std::future::pending().await, &health, &stop).await, "also in the middle of a look");
    }
}
