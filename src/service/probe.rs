//! What `posbell check --online` learns of one resource: names, counts and the clock, and never what a row says.

use serde::{Deserialize, Serialize};

use super::clock::Clock;
use super::pass::days::bangkok_day;
use crate::config::ShopConfig;
use crate::domain::model::Resource;
use crate::edge::pospos::quota::Urgency;
use crate::edge::pospos::{Pospos, Presence, Question, ReadError, Surveyed};

/// What the first page of each list of a resource has shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// How many rows came.
    pub rows: u64,
    /// How many of them posbell understands.
    pub readable: u64,
    /// Posbell's fields that at least one row has something in.
    pub seen: Vec<Field>,
    /// Those whose place is there, with nothing in it in every row.
    pub empty: Vec<Field>,
    /// Those whose place is in no row.
    pub missing: Vec<Field>,
    /// What a row has besides, by name.
    pub unread: Vec<String>,
    /// How the pages came.
    pub pages: Vec<Page>,
    /// How far the server's clock is ahead of this machine's, in seconds, where the server says its time.
    pub clock_ahead_s: Option<i64>,
}

/// One of posbell's fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name in `[shop.fields]`.
    pub name: String,
    /// Where it is looked for.
    pub place: String,
}

/// How the first page of a list came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// How many rows were asked for.
    pub asked: u32,
    /// How many came.
    pub rows: u64,
    /// `total`, where it was given.
    pub total: Option<u64>,
    /// `total_page`, where it was given.
    pub total_page: Option<u64>,
}

/// Looks at one page of each list that makes up the resource.
pub(super) async fn probe(
    pospos: &Pospos,
    shop: &ShopConfig,
    resource: Resource,
    clock: &Clock,
) -> Result<Findings, ReadError> {
    let probe = pospos.probe(resource, &lists(shop, resource, clock), Urgency::Person).await?;
    let now = clock.now().naive_utc();
    let of = |presence: Presence| -> Vec<Field> {
        let wanted = probe.survey.fields.iter().filter(|field| field.presence == presence);
        wanted.map(|Surveyed { name, place, .. }| Field { name: (*name).to_owned(), place: place.clone() }).collect()
    };
    let page = |page: &crate::edge::pospos::ProbedPage| Page {
        asked: page.asked,
        rows: page.rows,
        total: page.total,
        total_page: page.total_page,
    };
    Ok(Findings {
        rows: probe.survey.rows,
        readable: probe.survey.readable,
        seen: of(Presence::Seen),
        empty: of(Presence::Empty),
        missing: of(Presence::Missing),
        unread: probe.survey.unread.iter().cloned().collect(),
        pages: probe.pages.iter().map(page).collect(),
        clock_ahead_s: probe.server_time.map(|time| (time - now).num_seconds()),
    })
}

/// The lists that a pass over the resource reads.
fn lists(shop: &ShopConfig, resource: Resource, clock: &Clock) -> Vec<Question> {
    let nothing = String::new;
    match resource {
        Resource::Transactions => {
            let now = clock.now();
            let [start, end] = [now - shop.trailing_window, now].map(|at| bangkok_day(at).to_string());
            vec![Question::Transactions { start, end, current_buyer: None }]
        }
        Resource::Stock => vec![Question::StockPages { term: nothing() }],
        Resource::Credit => {
            let pending = |period: &str| Question::Credit { period: period.to_owned(), status: "pending".to_owned() };
            vec![pending("IN_OF_PERIOD"), pending("OUT_OF_PERIOD")]
        }
        Resource::Members => vec![Question::Members],
        Resource::Vendors => vec![Question::Vendors { term: nothing() }],
        Resource::BuyDocuments => {
            vec![Question::BuyDocuments { term: nothing(), start: nothing(), end: nothing() }]
        }
    }
}
