//! What the handlers share, and the flow as all pages show it, asked for once for all of them.

use std::sync::Arc;
use std::time::Instant;

use crate::access::{Gate, Visitor};
use crate::beats::Beats;
use crate::look::Look;
use crate::port::{Flow, Job, Operations, Refused};
use crate::proof::Proofs;
use crate::rates::{Rates, Samples};
use crate::shared::Shared;

/// What the handlers share.
pub(crate) struct Console<O> {
    pub operations: Arc<O>,
    pub proofs: Proofs,
    pub samples: Samples,
    pub looks: Shared<Look>,
    pub jobs: Shared<Result<Vec<Job>, Refused>>,
    pub beats: Beats,
    pub gate: Arc<Gate>,
}

impl<O: Operations> Console<O> {
    /// Over these operations, for whoever gets through this gate.
    pub fn new(operations: Arc<O>, gate: Arc<Gate>) -> Self {
        Self {
            operations,
            gate,
            proofs: Proofs::default(),
            samples: Samples::default(),
            looks: Shared::default(),
            jobs: Shared::default(),
            beats: Beats::default(),
        }
    }

    /// The flow as it is now, for who opens a page; for an open page that renews itself as it was a moment ago, with what this process knows of itself now.
    pub async fn flow(&self, visitor: &Visitor) -> (Flow, Option<Rates>) {
        let look = if visitor.partial { self.looks.recent(Box::pin(self.look())).await } else { self.look_again().await };
        (Flow { here: self.operations.here(), ..look.flow.clone() }, look.rates.clone())
    }

    /// The flow as it is now.
    pub async fn look_again(&self) -> Arc<Look> {
        self.looks.anew(Box::pin(self.look())).await
    }

    /// Its future holds those of every part that is asked: it is kept on the heap, where each caller's would hold a copy of it.
    async fn look(&self) -> Look {
        let flow = self.operations.flow().await;
        let rates = self.samples.compare(&flow, Instant::now());
        Look { flow, rates }
    }
}
