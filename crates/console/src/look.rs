//! A look at the flow, and whether it shows something new.

use crate::port::Flow;
use crate::rates::Rates;

/// A look at the flow.
pub(crate) struct Look {
    pub flow: Flow,
    /// How fast things move, compared with looks before.
    pub rates: Option<Rates>,
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
