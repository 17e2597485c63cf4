//! `posbell status`: how it goes, on one screen.

use std::sync::Arc;

use anyhow::bail;
use chrono_tz::Tz;
use clap::Args;

use super::backup::size;
use super::client::{Client, Refused, Unasked, parsed};
use super::held::state;
use super::{Failure, Listing, open_address, out, small_runtime, table};
use crate::api::{ChannelStatus, ResourceStatus, ShopStatus, Status};
use crate::api::{Problem, Problems};
use crate::config::Config;
use crate::domain::model::Timestamp;
use crate::service::clock::Clock;

/// What `posbell status` takes.
#[derive(Debug, Clone, Args)]
pub(super) struct StatusArgs {
    /// Print a line for each problem and nothing else; exit 1 when there is one
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    listing: Listing,
}

/// What can be seen of the service.
enum Seen {
    /// All of it.
    Status(String),
    /// Its problems alone, and why.
    Problems(Problems, String),
}

pub(super) fn status(config: &Arc<Config>, args: &StatusArgs) -> Result<(), Failure> {
    let (answer, status): (String, Status) = match small_runtime()?.block_on(seen(config))? {
        Seen::Status(answer) => (answer.clone(), parsed(&answer)?),
        Seen::Problems(problems, why) => return only_problems(&problems.data, &why, args),
    };
    if args.check {
        print_problems(&status.problems, args.listing.json)?;
    } else if args.listing.json {
        out::line(&answer)?;
    } else {
        out::text(&text(&status, Clock::default().now(), config.wording.timezone))?;
    }
    if args.check && !status.problems.is_empty() {
        return Err(Failure::Told);
    }
    Ok(())
}

async fn seen(config: &Arc<Config>) -> anyhow::Result<Seen> {
    let client = match Client::find(config).await {
        Ok(client) => client,
        Err(error) => {
            let unasked = error.downcast::<Unasked>()?;
            return match open_address::problems(config).await {
                Ok(problems) => Ok(Seen::Problems(problems, unasked.to_string())),
                Err(unseen) => {
                    bail!("posbell does not run, or only `sudo posbell status` can say: {unseen}; {unasked}")
                }
            };
        }
    };
    match client.get(&["status"]).await {
        // The service has closed its store.
        Err(error) if client.is_running() && error.is::<Refused>() => {
            Ok(Seen::Problems(parsed(&client.get(&["problems"]).await?)?, error.to_string()))
        }
        answer => Ok(Seen::Status(answer?)),
    }
}

fn only_problems(problems: &[Problem], why: &str, args: &StatusArgs) -> Result<(), Failure> {
    if args.check {
        print_problems(problems, args.listing.json)?;
    } else if args.listing.json {
        out::line(&serde_json::json!({ "running": true, "problems": problems }).to_string())?;
    } else {
        out::text(&format!(
            "posbell is running, but only its problems can be shown: {why}\n{}",
            problems_text(problems)
        ))?;
    }
    if args.check && !problems.is_empty() {
        return Err(Failure::Told);
    }
    Ok(())
}

fn print_problems(problems: &[Problem], json: bool) -> anyhow::Result<()> {
    for problem in problems {
        out::line(&if json { serde_json::to_string(problem)? } else { problem.line() })?;
    }
    Ok(())
}

fn text(status: &Status, now: Timestamp, zone: Tz) -> String {
    let running = if status.running { "is running" } else { "is not running: this is what its store says" };
    let mut text = format!("posbell {} {running}\n", status.version);
    for shop in &status.shops {
        text.push_str(&shop_text(shop, now, zone));
    }
    let rows: Vec<Vec<String>> = status
        .channels
        .iter()
        .map(|channel| {
            let waiting = match channel.grouped {
                0 => channel.waiting.to_string(),
                events => format!("{} ({events} events gather)", channel.waiting),
            };
            vec![
                channel.name.clone(),
                channel.kind.clone(),
                waiting,
                next_try(channel, now, zone),
                state_of(channel, zone),
            ]
        })
        .collect();
    text.push('\n');
    if rows.is_empty() {
        text.push_str("There are no channels yet: events are recorded and nothing is sent.\n");
    } else {
        text.push_str(&table::aligned(&["CHANNEL", "TYPE", "WAITING", "NEXT TRY", "STATE"], &rows));
    }
    for channel in &status.channels {
        let Some(overflow) = &channel.overflow else { continue };
        text.push_str(&format!(
            "No more messages may wait for `{}` (`[store] max_waiting`): {} have become dead letters at once since {}\n",
            channel.name,
            overflow.refused,
            table::moment(overflow.since, zone)
        ));
    }
    for (channel, waiting) in &status.orphaned {
        text.push_str(&format!(
            "{waiting} messages wait for `{channel}`, which is not in the configuration any more\n"
        ));
    }
    if status.dead > 0 {
        text.push_str(&format!(
            "\n{} dead letters: see `posbell deliveries --state dead`; `posbell retry --dead` sends them again\n",
            status.dead
        ));
    }
    text.push_str(&copies_text(status, now, zone));
    if status.log_dropped > 0 {
        text.push_str(&format!("\n{} lines of the log could not be written since the start.\n", status.log_dropped));
    }
    text.push_str(&problems_text(&status.problems));
    text
}

/// What to mend, at the end, where the eye is.
fn problems_text(problems: &[Problem]) -> String {
    if problems.is_empty() {
        return "\nNo problems.\n".to_owned();
    }
    let lines = problems.iter().map(|problem| format!("  {}\n", problem.line()));
    format!("\nPROBLEMS\n{}", lines.collect::<String>())
}

/// When what waits for a channel is tried next.
fn next_try(channel: &ChannelStatus, now: Timestamp, zone: Tz) -> String {
    match channel.next_try {
        Some(at) if at <= now => "now".to_owned(),
        Some(at) => table::moment(at, zone),
        None => "-".to_owned(),
    }
}

fn state_of(channel: &ChannelStatus, zone: Tz) -> String {
    let failing = channel
        .failing
        .as_ref()
        .map(|failing| format!("failing since {}: {}", table::moment(failing.since, zone), failing.why));
    let told = channel.told_failing.filter(|_| failing.is_none());
    let told = told.map(|since| format!("failing since {}, and not tried again yet", table::moment(since, zone)));
    let paused = channel
        .paused_until
        .map(|until| format!("paused until {}, as the receiver asked for a pause", table::moment(until, zone)));
    let state: Vec<String> = failing.into_iter().chain(told).chain(paused).collect();
    if state.is_empty() { "ok".to_owned() } else { state.join("; ") }
}

fn copies_text(status: &Status, now: Timestamp, zone: Tz) -> String {
    let mut text = match &status.copies.newest {
        Some(copy) => format!(
            "\nThe newest copy of all this is of {} ({}), {}.\n",
            table::moment(copy.made_at, zone),
            table::ago(copy.made_at, now),
            size(copy.bytes)
        ),
        None => "\nThere is no copy of all this yet: the first is made when posbell has run for an hour.\n".to_owned(),
    };
    if let Some(failing) = &status.copies.failing {
        text.push_str(&format!(
            "No copy could be made since {}: {}\n",
            table::moment(failing.since, zone),
            failing.why
        ));
    }
    text
}

fn shop_text(shop: &ShopStatus, now: Timestamp, zone: Tz) -> String {
    let mut text = format!("\n{} ({})\n", shop.id, shop.name);
    if let Some(status) = shop.key_refused {
        text.push_str(&format!(
            "  STOPPED: its key was refused ({status}). Put a new key in place and restart, or say `posbell resume {}`.\n",
            shop.id
        ));
    }
    if let Some(left) = shop.blocked_ms {
        text.push_str(&format!(
            "  WAITING: something in between answers in the place of POSPOS (a firewall?). Next try in {}, or now with \
             `posbell resume {}`.\n",
            length(left),
            shop.id
        ));
    }
    let rows: Vec<Vec<String>> =
        shop.resources.iter().map(|resource| resource_row(shop, resource, now, zone)).collect();
    for line in table::aligned(&["RESOURCE", "EVERY", "LAST READ", "ROWS", "STATE"], &rows).lines() {
        text.push_str(&format!("  {line}\n"));
    }
    for quota in &shop.quota {
        text.push_str(&format!("  quota {}: {} calls left\n", quota.limit, quota.left));
    }
    if let Some(remaining) = shop.slowed_ms {
        text.push_str(&format!(
            "  The API said that there are too many calls: less than the quota is used for {} more.\n",
            length(remaining)
        ));
    }
    text
}

/// A length of time without its smallest parts: nobody reads milliseconds of an hour.
fn length(millis: u64) -> String {
    let grain = if millis >= 10_000 { 1000 } else { 1 };
    humantime::format_duration(std::time::Duration::from_millis(millis / grain * grain)).to_string()
}

fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

/// How far the first pass has come.
fn not_read_yet(resource: &ResourceStatus) -> String {
    let so_far = resource.reading.as_ref().map(|reading| {
        format!(": {} rows so far, in {} calls of about {}", reading.rows, reading.calls, reading.of_calls)
    });
    format!("not read yet{}", so_far.unwrap_or_default())
}

fn resource_row(shop: &ShopStatus, resource: &ResourceStatus, now: Timestamp, zone: Tz) -> Vec<String> {
    let every = match resource.pace.as_str() {
        "configured" => length(resource.every_ms),
        why => format!("{} ({why})", length(resource.effective_ms)),
    };
    let state = match (&resource.held, &resource.failing, resource.unreadable) {
        (None, _, _) if resource.never_read => format!(
            "never read so far{}",
            resource.failing.as_ref().map(|failing| format!(": {}", failing.why)).unwrap_or_default()
        ),
        // Before how it fails: a held pass waits for a person.
        (Some(held), ..) => format!(
            "HELD since {} ({}): see `posbell held show {} {}`",
            table::moment(held.since, zone),
            state(held.standing),
            shop.id,
            resource.resource
        ),
        (None, Some(failing), _) => format!("failing since {}: {}", table::moment(failing.since, zone), failing.why),
        (None, None, _) if shop.key_refused.is_some() => "not read: the key was refused".to_owned(),
        (None, None, _) if resource.stale => "not read for too long".to_owned(),
        (None, None, _) if resource.no_quantities => {
            "no product has a quantity: set `[shop.fields.stock] quantity`".to_owned()
        }
        (None, None, Some(unreadable @ 1..)) => {
            let because = resource.left_out_because.as_ref().map(|why| format!(", for example: {why}"));
            format!("ok, but {} left out{}", rows(unreadable), because.unwrap_or_default())
        }
        (None, None, _) if resource.empty_so_far => "empty so far".to_owned(),
        (None, None, _) if resource.passed_at.is_none() => not_read_yet(resource),
        (None, None, _) if resource.cut == 1 => {
            "ok; since the start 1 row was too large and is told in part".to_owned()
        }
        (None, None, _) if resource.cut > 1 => {
            format!("ok; since the start {} rows were too large and are told in part", resource.cut)
        }
        (None, None, _) => "ok".to_owned(),
    };
    vec![
        resource.resource.clone(),
        every,
        resource.passed_at.map_or("never".to_owned(), |at| table::ago(at, now)),
        resource.rows.map_or(String::new(), |rows| rows.to_string()),
        state,
    ]
}
