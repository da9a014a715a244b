//! The flow as all pages show it, asked for once for all of them.

use std::sync::Arc;
use std::time::Instant;

use crate::access::Visitor;
use crate::port::{Flow, Operations};
use crate::rates::Rates;
use crate::routes::Console;

/// A look at the flow.
pub(crate) struct Look {
    pub flow: Flow,
    /// How fast things move, compared with looks before.
    pub rates: Option<Rates>,
}

impl<O: Operations> Console<O> {
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

/// What someone may have to act on: who is there, what does not work, what does not answer. No number is in it.
#[derive(Debug, PartialEq, Eq)]
struct States<'f> {
    /// Each consumer: its place, whether it is alive, how it is, its parts that are down.
    consumers: Vec<(&'f str, u32, bool, &'f str, Vec<&'f str>)>,
    answers: [bool; 4],
}

impl<'f> States<'f> {
    fn of(flow: &'f Flow) -> Self {
        let consumers = flow.consumers.iter().flatten().map(|it| {
            let down = it.down.iter().map(|part| part.name.as_str()).collect();
            (it.host.as_str(), it.process_id, it.alive, it.status.as_str(), down)
        });
        let answers = [flow.partitions.is_ok(), flow.consumers.is_ok(), flow.parked.is_ok(), flow.dead_letters.is_ok()];
        Self { consumers: consumers.collect(), answers }
    }
}

impl Look {
    /// Whether it shows something that someone may have to act on, and the one before did not.
    pub fn is_news_after(&self, before: &Self) -> bool {
        States::of(&self.flow) != States::of(&before.flow)
    }
}
