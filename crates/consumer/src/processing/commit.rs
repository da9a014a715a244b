//! Noting finished offsets.

use pipeline::offsets::Commit;
use pipeline::ports::OffsetCommitter;

use super::Consumer;
use crate::backends::Backends;

/// What is finished and could not be committed yet.
#[derive(Default)]
pub(super) struct Uncommitted(Commit);

impl<P: Backends> Consumer<P> {
    /// Commits what is finished, and what an earlier commit left. A failed commit undoes nothing: the next batch tries again, and what is
    /// consumed twice changes nothing.
    pub(super) async fn commit(&mut self, finished: Commit) {
        self.uncommitted.0.extend(finished);
        if self.uncommitted.0.is_empty() {
            return;
        }
        match self.offsets.commit(&self.uncommitted.0).await {
            Ok(committed) => {
                self.uncommitted = Uncommitted::default();
                // Where every partition went to others, nothing was committed.
                if committed > 0 {
                    self.metrics.committed();
                }
            }
            Err(fault) => {
                self.metrics.commit_failed();
                tracing::debug!(
                    class = fault.class.label(),
                    code = fault.code,
                    subject = fault.subject,
                    "the commit is left to the next turn"
                );
            }
        }
    }
}
