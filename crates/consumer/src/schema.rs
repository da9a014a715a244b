//! Waiting for a schema that this build can work on. Nothing is changed here: somebody migrates, and this goes on by itself.

use pipeline::fault::{Cause, Fault, FaultClass};
use sqlserver::SchemaState;

use crate::reason::{reason, told};
use crate::starting::Starting;

/// What a look at the schema found.
type Found = Result<SchemaState, Fault>;

/// Looks at the schema until this build can work on it, however long that takes. `false` when the consumer was told to stop first.
pub(crate) async fn until_schema_fits(mut look: impl AsyncFnMut() -> Found, starting: &Starting) -> bool {
    let mut told = None;
    let mut tries = 0;
    loop {
        tries += 1;
        let Some(found) = starting.alive(look()).await else { return false };
        // One line when it begins or its reason changes, none for the tries in between.
        if told.as_ref() != Some(&found) {
            log(&found);
        }
        let Some((cause, why)) = hindrance(&found) else {
            starting.released();
            return true;
        };
        starting.held(cause, why);
        told = Some(found);
        if !starting.pause(tries).await {
            return false;
        }
    }
}

/// Why nothing can be consumed; `None` where it can.
fn hindrance(found: &Found) -> Option<(Cause, String)> {
    match found {
        Ok(state) if state.fits() => None,
        Ok(state) => Some((Cause::Operator, format!("{state}: {}", state.advice().unwrap_or_default()))),
        Err(fault) if matches!(fault.class, FaultClass::Unavailable { .. }) => Some((Cause::Outage, reason(fault))),
        Err(fault) => Some((Cause::Operator, reason(fault))),
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
        Err(fault @ Fault { class, code, .. }) if matches!(class, FaultClass::Unavailable { .. }) => {
            tracing::warn!(class = class.label(), code, "waiting before anything is consumed: {}", told(fault));
        }
        Err(fault @ Fault { class, code, .. }) => {
            tracing::error!(class = class.label(), code, "the schema cannot be looked at, nothing is consumed: {}", told(fault));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use pipeline::Dependency;
    use telemetry::{Health, Metrics, Part};
    use tokio_util::sync::CancellationToken;

    use super::*;

    const MISSING: Found = Ok(SchemaState::Missing);
    const OLDER: Found = Ok(SchemaState::Older { found: 1, needed: 3 });
    const AWAY: Found = Err(Fault {
        dependency: Dependency::Database,
        class: FaultClass::Unavailable { timed_out: false },
        code: None,
        subject: "connect",
    });

    fn starting() -> Starting {
        let health = Health::new(&[Dependency::Database.label()], None);
        Starting { health, metrics: Metrics::new(&[Part::Consumer]).unwrap(), stop: CancellationToken::new() }
    }

    fn held(starting: &Starting, cause: Cause) -> bool {
        starting.metrics.encode().contains(&format!("pipeline_held{{cause=\"{}\"}} 1\n", cause.label()))
    }

    /// Finds these one after the other, and says what the health tells before each next look.
    async fn wait_through(found: &[Found]) -> (bool, Vec<Option<String>>) {
        let starting = starting();
        let (mut found, mut told) = (found.iter().cloned().collect::<VecDeque<_>>(), Vec::new());
        let look = async || {
            told.push(starting.health.ready_report().parts[Dependency::Database.label()].reason.clone());
            found.pop_front().expect("it looks no further than it must")
        };
        let fits = until_schema_fits(look, &starting).await;
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
    async fn meanwhile_it_counts_as_held() {
        let starting = starting();
        let mut left = vec![Ok(SchemaState::Current), OLDER, AWAY];
        let mut seen = Vec::new();
        let look = async || {
            seen.push((held(&starting, Cause::Outage), held(&starting, Cause::Operator)));
            left.pop().expect("it looks no further than it must")
        };
        assert!(until_schema_fits(look, &starting).await);
        assert_eq!(seen, [(false, false), (true, false), (false, true)]);
        assert!(!held(&starting, Cause::Operator));
    }

    #[tokio::test(start_paused = true)]
    async fn a_consumer_that_is_told_to_stop_waits_for_no_schema() {
        let starting = starting();
        let mut looks = 0;
        let look = async || {
            looks += 1;
            if looks == 3 {
                starting.stop.cancel();
            }
            OLDER
        };
        assert!(!until_schema_fits(look, &starting).await);
        assert_eq!(looks, 3);
        assert!(!until_schema_fits(async || std::future::pending().await, &starting).await, "also in the middle of a look");
    }
}
