//! The message after an outage: a line for each product with its newest state.
//!
//! A level and a quantity of one product are two events and one line: the level is what matters, the figure behind it
//! is the newest of the two. It says when that was, since it comes late by nature.

use std::collections::BTreeMap;

use super::figures::count as figure;
use super::layout::Told;
use super::{EVENTS_SHOWN, Layout, Text, Wording, body, layout, render, title};
use crate::domain::event::{Event, EventData, EventKind};
use crate::domain::model::{Quantity, Subject};

/// The built-in message of these newest states of one shop, oldest first, each with how many changes it stands for.
pub fn render_newest(events: &[Event], counts: &[u64], shop_name: Option<&str>, wording: &Wording) -> Text {
    let layout = layout(wording);
    let counted: Vec<(&Event, u64)> = events.iter().zip(counts.iter().copied()).collect();
    match counted.as_slice() {
        [(event, count)] => {
            let text = render(std::slice::from_ref(*event), shop_name, wording);
            let head = joined_by_space(layout.headline(Told::alone(event)), stands_for(&layout, *count));
            Text { title: title(Some(head), shop_name), ..text }
        }
        counted => several(counted, shop_name, &layout),
    }
}

fn several(counted: &[(&Event, u64)], shop_name: Option<&str>, layout: &Layout) -> Text {
    let mut products: Vec<Vec<(&Event, u64)>> = Vec::new();
    let mut places: BTreeMap<&Subject, usize> = BTreeMap::new();
    for (event, count) in counted {
        let place = *places.entry(&event.subject).or_insert_with(|| {
            products.push(Vec::new());
            products.len() - 1
        });
        products[place].push((event, *count));
    }
    let as_of =
        counted.iter().map(|(event, _)| event.time).max().map(|time| (layout.words.as_of)(&layout.moment(time)));
    let lines = products.iter().filter_map(|states| line(layout, states));
    let lines: Vec<String> = as_of.into_iter().chain(lines).collect();
    let head = format!("📦 {}", (layout.words.newest_states)(products.len()));
    Text { title: title(Some(head), shop_name), body: body(&lines, EVENTS_SHOWN) }
}

/// The line of one product with its newest states, oldest first.
fn line(layout: &Layout, states: &[(&Event, u64)]) -> Option<String> {
    let (newest, _) = states.last()?;
    // Something has come in since it was out, less than enough: "out, 3 left" would be read as a mistake.
    let is_refuted = |event: &Event| {
        event.kind == EventKind::StockOut
            && matches!(&newest.data, EventData::Product { product, .. } if product.quantity > Some(Quantity::ZERO))
    };
    let is_level = |event: &Event| event.kind != EventKind::StockChanged && !is_refuted(event);
    let level = states.iter().rev().find(|(event, _)| is_level(event));
    let mut shown = level.map_or(*newest, |(event, _)| *event).clone();
    if let (EventData::Product { product: shown, previous, .. }, EventData::Product { product, .. }) =
        (&mut shown.data, &newest.data)
    {
        shown.quantity = product.quantity;
        // It was so before the last of the changes that this line stands for.
        *previous = None;
    }
    // Each level came with a change of the quantity: added up they would be counted twice.
    let count = states.iter().map(|(_, count)| *count).max()?;
    Some(joined_by_space(layout.titled_line(Told::alone(&shown)), stands_for(layout, count)))
}

/// What is behind a state that stands for more than itself.
fn stands_for(layout: &Layout, count: u64) -> Option<String> {
    (count > 1).then(|| (layout.words.stands_for)(&figure(count)))
}

fn joined_by_space(text: String, more: Option<String>) -> String {
    match more {
        Some(more) => format!("{text} {more}"),
        None => text,
    }
}
