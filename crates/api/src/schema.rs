//! Whether the tables are those that this program was built for. It reads what it can from any; what to do is said in the log, not to callers.

use std::time::Duration;

use sqlserver::SchemaState;
use tokio::time::sleep;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(30);

/// Looks until the schema fits; one line of log when what is found changes. A look that fails says nothing: that the database is away is told
/// by the reads.
pub(crate) async fn watch(mut look: impl AsyncFnMut() -> Option<SchemaState>) {
    let mut told = None;
    loop {
        let found = look().await;
        if found.is_some() && told != found {
            found.into_iter().for_each(tell);
            told = found;
        }
        if told.is_some_and(SchemaState::fits) {
            return;
        }
        sleep(PAUSE).await;
    }
}

fn tell(state: SchemaState) {
    let advice = state.advice().unwrap_or_default();
    match state {
        SchemaState::Current => tracing::info!("the schema is the one that this program needs"),
        SchemaState::Newer { .. } => tracing::warn!("{state}: {advice}"),
        SchemaState::Missing | SchemaState::Older { .. } => tracing::error!("{state}: {advice}. What cannot be read is answered with 503"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_looks_until_the_schema_fits_and_no_longer() {
        let older = SchemaState::Older { found: 1, needed: 2 };
        for last in [SchemaState::Current, SchemaState::Newer { found: 9, known: 2 }] {
            let mut left = vec![Some(last), None, Some(older), Some(SchemaState::Missing), None];
            watch(async || left.pop().expect("no look after one that fits")).await;
            assert_eq!(left, []);
        }
    }
}
