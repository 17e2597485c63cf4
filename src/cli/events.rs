//! `posbell events`: what has happened.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::client::{Client, id, parsed};
use super::{Failure, Listing, out, small_runtime, table};
use crate::api::EventQuery;
use crate::config::Config;
use crate::domain::message::render;
use crate::service::guard::{guarded, read_event};
use crate::service::listing::LISTED_MOST;

/// How often `--follow` looks again.
const FOLLOW: std::time::Duration = std::time::Duration::from_secs(1);

/// Which events are meant.
#[derive(Debug, Clone, Args)]
pub(super) struct Which {
    /// Only this type, or a family such as `stock.*`
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only this shop
    #[arg(long)]
    shop: Option<String>,
    /// Only those about this: the `subject` of the event, such as `product/5f4d…`
    #[arg(long)]
    subject: Option<String>,
    /// Only those seen since: `2h`, `7d`, or a time such as 2026-11-23T00:00:00Z
    #[arg(long)]
    since: Option<String>,
}

impl Which {
    pub(super) fn query(&self) -> EventQuery {
        let Which { kind, shop, subject, since } = self.clone();
        EventQuery { kind, shop, subject, since, ..EventQuery::default() }
    }
}

/// A number of rows.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    let rows = text.parse::<usize>().map_err(|error| error.to_string())?;
    if rows == 0 { Err("must be at least 1".to_owned()) } else { Ok(rows) }
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EventsArgs {
    #[command(subcommand)]
    command: Option<EventsCommand>,
    #[command(flatten)]
    which: Which,
    /// At most so many, the newest
    #[arg(long, default_value_t = 100, value_parser = at_least_one)]
    limit: usize,
    /// Go on printing new ones until Ctrl-C
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Debug, Subcommand)]
enum EventsCommand {
    /// Show one: what it says for people, and all of it as webhooks send it
    Show {
        /// Its id, `evt_…`
        id: String,
        #[command(flatten)]
        listing: Listing,
    },
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    last: Option<u64>,
}

pub(super) fn events(config: &Arc<Config>, args: &EventsArgs) -> Result<(), Failure> {
    small_runtime()?
        .block_on(async {
            if let Some(EventsCommand::Show { id, listing }) = &args.command {
                return show(config, id, listing).await;
            }
            let pages = newest(config, args).await?;
            let mut after = pages.first().and_then(|page| page.last);
            let is_empty = pages.iter().all(|page| page.data.is_empty());
            if is_empty && !args.follow && !args.listing.json {
                out::line("There are no such events yet.")?;
            }
            for page in pages.iter().rev() {
                print_page(page, args, config)?;
            }
            if !args.follow {
                return Ok(());
            }
            let mut query = args.which.query();
            loop {
                tokio::time::sleep(FOLLOW).await;
                let since = query.since.take().filter(|_| after.is_none());
                query = EventQuery { after, since, limit: Some(LISTED_MOST), ..query };
                let page = self::page(config, &query).await?;
                print_page(&page, args, config)?;
                after = page.last.or(after);
            }
        })
        .map_err(|error: anyhow::Error| error.into())
}

async fn show(config: &Arc<Config>, id: &str, listing: &Listing) -> anyhow::Result<()> {
    let missing = format!("there is no event `{id}`; `posbell events` lists those that there are");
    let json = Client::find(config).await?.get(&["events", self::id(id, "evt_", &missing)?]).await?;
    match listing.json {
        true => out::line(&json)?,
        false => out::text(&whole(&json, config)?)?,
    }
    Ok(())
}

/// An event in full. One of another version has no words, but its JSON still says it.
fn whole(json: &str, config: &Config) -> anyhow::Result<String> {
    let all: serde_json::Value = parsed(json)?;
    let mut text = String::new();
    if let Some(event) = read_event(json) {
        let at = table::moment(event.time, config.wording.timezone);
        let mut say = |what: &str, value: &str| text.push_str(&format!("{what:<9} {value}\n"));
        say("event", event.id.as_str());
        say("type", event.kind.name());
        say("shop", event.shop.as_str());
        say("subject", event.subject.as_str());
        say("time", &at);
        let words = guarded(|| render(std::slice::from_ref(&event), None, &config.wording));
        if let Some(words) = words {
            text.push_str(&format!("\n{}\n{}\n", words.title, words.body));
        }
        text.push('\n');
    }
    text.push_str(&format!("{}\n", serde_json::to_string_pretty(&all)?));
    Ok(text)
}

/// The newest events that are meant, page by page, the newest page first.
async fn newest(config: &Arc<Config>, args: &EventsArgs) -> anyhow::Result<Vec<Page>> {
    #[derive(Deserialize)]
    struct Head {
        id: String,
    }
    let mut pages: Vec<Page> = Vec::new();
    let mut query = args.which.query();
    for size in pages_of(args.limit) {
        let page = page(config, &EventQuery { limit: Some(size), ..query.clone() }).await?;
        let is_last = page.data.len() < size;
        query.before = page.data.first().map(|first| parsed::<Head>(first.get())).transpose()?.map(|head| head.id);
        pages.push(page);
        if is_last {
            break;
        }
    }
    Ok(pages)
}

/// The sizes of the pages that are asked for where so many rows are wanted.
pub(super) fn pages_of(rows: usize) -> impl Iterator<Item = usize> {
    let mut left = rows;
    std::iter::from_fn(move || {
        let size = left.min(LISTED_MOST);
        left -= size;
        (size > 0).then_some(size)
    })
}

/// Asked anew each time, so that `--follow` neither keeps the store from a starting service nor loses an ended one.
async fn page(config: &Arc<Config>, query: &EventQuery) -> anyhow::Result<Page> {
    parsed(&Client::find(config).await?.list(&["events"], query).await?)
}

fn print_page(page: &Page, args: &EventsArgs, config: &Config) -> std::io::Result<()> {
    for json in &page.data {
        let line = if args.listing.json { None } else { line(json.get(), config) };
        // Also an event of another version: its JSON still says it.
        out::line(line.as_deref().unwrap_or(json.get()))?;
    }
    Ok(())
}

fn line(json: &str, config: &Config) -> Option<String> {
    let event = read_event(json)?;
    // The shop has a column of its own.
    let text = guarded(|| render(std::slice::from_ref(&event), None, &config.wording))?;
    let at = table::moment(event.time, config.wording.timezone);
    Some(format!("{at}  {:<16} {:<8} {}  {}", event.kind.name(), event.shop, event.id, text.title))
}
