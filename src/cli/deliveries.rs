//! `posbell deliveries`: the outbox, and what became of each message.

use std::sync::Arc;

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use serde::Deserialize;

use super::client::{self, Client, parsed};
use super::events::{at_least_one, pages_of};
use super::{Failure, Listing, out, small_runtime, table};
use crate::api::DeliveryQuery;
use crate::config::Config;
use crate::domain::outbox::{Attempt, Delivery, State};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct DeliveriesArgs {
    #[command(subcommand)]
    command: Option<DeliveriesCommand>,
    /// Only those in this state
    #[arg(long, value_parser = State::NAMES)]
    state: Option<String>,
    /// Only those to this channel
    #[arg(long)]
    channel: Option<String>,
    /// At most so many, the newest
    #[arg(long, default_value_t = 100, value_parser = at_least_one)]
    limit: usize,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Debug, Subcommand)]
enum DeliveriesCommand {
    /// Show one with every attempt
    Show {
        /// Its id, `dlv_…`
        id: String,
        #[command(flatten)]
        listing: Listing,
    },
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Delivery>,
}

pub(super) fn deliveries(config: &Arc<Config>, args: &DeliveriesArgs) -> Result<(), Failure> {
    let zone = config.wording.timezone;
    small_runtime()?.block_on(async {
        let client = Client::find(config).await?;
        if let Some(DeliveriesCommand::Show { id, listing }) = &args.command {
            let answer =
                client.get(&["deliveries", client::id(id, "dlv_", &format!("there is no delivery `{id}`"))?]).await?;
            match listing.json {
                true => out::line(&answer)?,
                false => out::text(&whole(&parsed(&answer)?, zone))?,
            }
            return Ok(());
        }
        let found = newest(&client, args).await?;
        if args.listing.json {
            for delivery in &found {
                out::line(&serde_json::to_string(delivery)?)?;
            }
        } else if found.is_empty() {
            out::line("There are no such deliveries.")?;
        } else {
            let rows: Vec<Vec<String>> = found.iter().map(|delivery| row(delivery, zone)).collect();
            out::text(&table::aligned(&["CREATED", "ID", "CHANNEL", "STATE", "TRIED", "LAST"], &rows))?;
        }
        anyhow::Ok(())
    })?;
    Ok(())
}

/// The newest deliveries that are meant, oldest first.
async fn newest(client: &Client, args: &DeliveriesArgs) -> anyhow::Result<Vec<Delivery>> {
    let mut found: Vec<Delivery> = Vec::new();
    let (state, channel) = (args.state.clone(), args.channel.clone());
    let mut query = DeliveryQuery { state, channel, ..DeliveryQuery::default() };
    for size in pages_of(args.limit) {
        query.limit = Some(size);
        let page: Page = parsed(&client.list(&["deliveries"], &query).await?)?;
        let is_last = page.data.len() < size;
        query.before = page.data.first().map(|first| first.id.to_string());
        found.splice(..0, page.data);
        if is_last {
            break;
        }
    }
    Ok(found)
}

fn row(delivery: &Delivery, zone: Tz) -> Vec<String> {
    let last = delivery.attempts.last().and_then(Attempt::why);
    let last = delivery.refused.as_ref().map(ToString::to_string).or(last);
    let last = delivery.collapsed_into.as_ref().map(|into| format!("collapsed into {into}")).or(last);
    vec![
        table::moment(delivery.created_at, zone),
        delivery.id.to_string(),
        delivery.channel.to_string(),
        delivery.state.name().to_owned(),
        delivery.tried.to_string(),
        last.unwrap_or_default(),
    ]
}

fn whole(delivery: &Delivery, zone: Tz) -> String {
    let mut text = format!("{}\n", delivery.id);
    let mut say = |what: &str, value: String| text.push_str(&format!("  {what:<9} {value}\n"));
    say("channel", delivery.channel.to_string());
    say("shop", delivery.shop.to_string());
    say("rule", delivery.rule.clone());
    for (place, event) in delivery.events.iter().enumerate() {
        match delivery.count(place) {
            1 => say("event", event.to_string()),
            count => say("event", format!("{event} (the newest of {count} changes)")),
        }
    }
    say("created", table::moment(delivery.created_at, zone));
    say("state", delivery.state.name().to_owned());
    match &delivery.state {
        State::Pending { due_at } | State::Retrying { due_at } => say("due", table::moment(*due_at, zone)),
        State::Delivered { at } | State::Dead { at } | State::Dropped { at } => say("since", table::moment(*at, zone)),
    }
    if let Some(again) = &delivery.again {
        let after = format!("{}, after attempt {}", table::moment(again.since, zone), again.tried);
        say("again", format!("{after}: a person had it sent again"));
    }
    say("tried", times(delivery));
    if let Some(reason) = &delivery.refused {
        say("reason", reason.to_string());
    }
    if let Some(into) = &delivery.collapsed_into {
        say("collapsed", format!("into {into}, which says what is newer; not sent itself"));
    }
    if delivery.attempts.is_empty() {
        return text;
    }
    let rows: Vec<Vec<String>> = delivery
        .numbered_attempts()
        .map(|(number, attempt)| {
            let why = attempt.why().unwrap_or_default();
            let took = format!("{} ms", attempt.took_ms);
            vec![number.to_string(), table::moment(attempt.at, zone), took, attempt.outcome.clone(), why]
        })
        .collect();
    text.push('\n');
    text.push_str(&table::aligned(&["ATTEMPT", "AT", "TOOK", "OUTCOME", "REASON"], &rows));
    text
}

/// How often it was tried, and which attempts are kept where not all of them are.
fn times(delivery: &Delivery) -> String {
    let kept = delivery.attempts.len();
    match delivery.tried {
        0 if delivery.state.due_at().is_some() => "not tried yet".to_owned(),
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        tried if usize::try_from(tried) == Ok(kept) => format!("{tried} times"),
        tried => format!("{tried} times; the first of them and the newest are kept, {kept} in all"),
    }
}
