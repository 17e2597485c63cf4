//! How do several events become one message?
//!
//! What is worst comes first: in the title, which a lock screen may cut, and among the lines, of which a phone shows
//! ten. The title of one kind names it and the lines do without; the title of several counts each.

use std::cmp::Reverse;

use super::layout::{Layout, Told, emoji, joined};
use crate::domain::event::{Event, EventKind, Severity};

/// How many kinds a title counts by name; `+N` says how many events are of others.
const KINDS_NAMED: usize = 3;

/// The events without the sales that the same message tells as cancelled: a bill that was sold and taken back is one
/// piece of news.
pub(super) fn told(events: &[Event]) -> Vec<Told<'_>> {
    let has = |kind: EventKind, of: &Event| {
        events.iter().any(|event| event.kind == kind && event.shop == of.shop && event.subject == of.subject)
    };
    let told = events.iter().filter_map(|event| match event.kind {
        EventKind::SaleCreated if has(EventKind::SaleCancelled, event) => None,
        EventKind::SaleCancelled => Some(Told { event, sold_too: has(EventKind::SaleCreated, event) }),
        _ => Some(Told::alone(event)),
    });
    told.collect()
}

/// The title, without the shop, and the lines of several events.
pub(super) fn several(layout: &Layout, told: &[Told<'_>]) -> (Option<String>, Vec<String>) {
    let mut told = told.to_vec();
    // Stable: those of one kind stay in their order.
    told.sort_by_key(|told| worst_first(told.event.kind));
    let kinds: Vec<&[Told<'_>]> = told.chunk_by(|a, b| a.event.kind == b.event.kind).collect();
    let words = layout.words;
    match kinds.as_slice() {
        [] => (None, Vec::new()),
        [of_kind] => {
            let kind = of_kind[0].event.kind;
            let head = format!("{} {}", emoji(kind), (words.headword)(kind));
            let lines = of_kind.iter().map(|told| layout.bare_line(*told));
            (Some((words.counted)(&head, of_kind.len())), lines.collect())
        }
        kinds => {
            let named = kinds.iter().take(KINDS_NAMED).map(|of_kind| {
                let kind = of_kind[0].event.kind;
                format!("{} {} {}", emoji(kind), (words.headword)(kind), of_kind.len())
            });
            let others: usize = kinds.iter().skip(KINDS_NAMED).map(|of_kind| of_kind.len()).sum();
            let named = named.collect::<Vec<_>>().join(" · ");
            let head = joined([Some(named), (others > 0).then(|| format!("+{others}"))]);
            (head, told.iter().map(|told| layout.line(*told)).collect())
        }
    }
}

/// By how much it matters, then by how little is left, then by family.
fn worst_first(kind: EventKind) -> (Reverse<Severity>, u8, EventKind) {
    let left = match kind {
        EventKind::StockOut => 0,
        EventKind::StockCritical => 1,
        EventKind::StockLow => 2,
        _ => 3,
    };
    (Reverse(Severity::of(kind)), left, kind)
}
