//! `posbell check --online`: what does the key really give?
//!
//! Nobody has seen every field of the API, so this asks for one page of each polled resource and says what came: names
//! and counts, never a value of a row, so that it can be shown to whoever helps.

use std::sync::Arc;

use anyhow::bail;

use super::client::{Client, each_row};
use super::{Failure, out, small_runtime, table};
use crate::api::{FetchLine, FetchQuery};
use crate::config::{Config, ShopConfig};
use crate::domain::model::Resource;
use crate::service::probe::{Field, Findings, Page};

/// From how many seconds on a difference of the clocks is worth a warning: sales are asked for by day, and a request is
/// never that long on its way.
const CLOCKS_APART: u64 = 120;

/// Asks for every shop, prints what comes, and fails if anything could not be read.
pub(super) fn online(config: &Arc<Config>) -> Result<(), Failure> {
    let well = small_runtime()?.block_on(async {
        let mut well = true;
        for shop in &config.shops {
            well &= check_shop(config, shop).await?;
        }
        anyhow::Ok(well)
    })?;
    out::line("\nChannels are not tried by this check yet.")?;
    if !well {
        return Err(anyhow::anyhow!("the check has found what keeps posbell from reading; see above").into());
    }
    Ok(())
}

async fn check_shop(config: &Arc<Config>, shop: &ShopConfig) -> anyhow::Result<bool> {
    let client = match Client::for_calls(config, shop).await {
        Ok(client) => client,
        Err(error) => {
            out::line(&format!("\nShop {}: {error:#}", shop.id))?;
            return Ok(false);
        }
    };
    let who = match client.is_running() {
        true => "through the running service",
        false => "by this command, since no service runs",
    };
    out::line(&format!("\nShop {}, asked {who}:", shop.id))?;
    check_resources(shop, &client).await
}

async fn check_resources(shop: &ShopConfig, client: &Client) -> anyhow::Result<bool> {
    let (mut well, mut clock) = (true, None);
    for resource in shop.poll.keys() {
        match ask(client, shop, *resource).await {
            Ok(findings) => {
                well &= findings.rows == 0 || findings.readable > 0;
                out::text(&text(*resource, &findings))?;
                clock = findings.clock_ahead_s.or(clock);
            }
            Err(error) if out::is_closed_pipe(&error) => return Err(error),
            Err(error) => {
                out::line(&format!("\n{resource}: {error:#}"))?;
                well = false;
            }
        }
    }
    out::line(&format!("\n{}", clock_words(clock)))?;
    Ok(well)
}

async fn ask(client: &Client, shop: &ShopConfig, resource: Resource) -> anyhow::Result<Findings> {
    let query = FetchQuery { resource: resource.name().to_owned(), probe: true, ..FetchQuery::default() };
    let mut findings = None;
    let lines = client.post_lines(&["shops", shop.id.as_str(), "fetch"], &query).await?;
    let taken = each_row(lines, |line| {
        match line {
            FetchLine::Row(row) => findings = Some(serde_json::from_str(row.get())?),
            FetchLine::Waiting(why) => out::note(&why),
            FetchLine::Done(_) => {}
            FetchLine::Error(why) => bail!("{why}"),
        }
        Ok(())
    });
    taken.await?;
    findings.ok_or_else(|| anyhow::anyhow!("the service is of another version: it does not know this check"))
}

fn text(resource: Resource, findings: &Findings) -> String {
    let Findings { rows, readable, seen, empty, missing, unread, pages, .. } = findings;
    let mut text = format!("\n{resource}: {}\n", rows_words(*rows, *readable));
    for page in pages {
        text.push_str(&format!("  {}\n", page_words(page)));
    }
    if *rows == 0 {
        return text;
    }
    let all = [("seen", seen), ("empty in every row", empty), ("MISSING in every row", missing)];
    let row = |field: &Field, state: &str| vec![format!("  {}", field.name), field.place.clone(), state.to_owned()];
    let cells: Vec<_> = all.iter().flat_map(|(state, of)| of.iter().map(|field| row(field, state))).collect();
    text.push_str(&table::aligned(&["  FIELD", "READ AT", "FOUND"], &cells));
    if !missing.is_empty() {
        text.push_str(&format!("  What is missing may stand elsewhere: say where in [shop.fields.{resource}].\n"));
    }
    if !unread.is_empty() {
        text.push_str(&format!("  A row has besides, and posbell does not read: {}\n", unread.join(", ")));
    }
    text
}

fn rows_words(rows: u64, readable: u64) -> String {
    let counted = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    match (rows, readable) {
        (0, _) => "no rows, so its fields cannot be checked".to_owned(),
        (_, 0) => format!("{counted}, none of which posbell can read; check base_url and the fields of the shop"),
        _ if readable < rows => format!("{counted}, {} of which posbell cannot read", rows - readable),
        _ => counted,
    }
}

/// What is known of the page size and of the totals.
fn page_words(page: &Page) -> String {
    let Page { asked, rows, total, total_page } = *page;
    let size = u64::from(asked);
    let more = total.is_some_and(|total| total > rows) || total_page.is_some_and(|pages| pages > 1);
    let came = match rows {
        rows if rows > size => format!("{rows} came: the API does not heed the page size"),
        rows if rows == size => format!("{rows} came: the page size is honoured"),
        rows if more => format!("{rows} came though there are more: the API gives at most {rows} at once"),
        rows => format!("{rows} came, which is all"),
    };
    let told = |name: &str, count: Option<u64>| match count {
        Some(count) => format!("{name} is given ({count})"),
        None => format!("{name} is not given"),
    };
    format!("{asked} asked for, {came}; {}, {}", told("total", total), told("total_page", total_page))
}

fn clock_words(ahead: Option<i64>) -> String {
    let Some(ahead) = ahead else { return "Clock: the server does not say its time.".to_owned() };
    let apart = ahead.unsigned_abs();
    let length = humantime::format_duration(std::time::Duration::from_secs(apart));
    let way = if ahead < 0 { "behind" } else { "ahead of" };
    match apart {
        0..=2 => "Clock: the server's is this machine's.".to_owned(),
        3..=CLOCKS_APART => format!("Clock: the server's is {length} {way} this machine's."),
        _ => format!("Clock: WARNING: the server's is {length} {way} this machine's; set this one by NTP."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_size_is_judged_by_what_came() {
        let check = |rows, total, total_page, want: &str| {
            let said = page_words(&Page { asked: 200, rows, total, total_page });
            assert!(said.contains(want), "{said}");
        };
        check(200, Some(450), Some(3), "200 came: the page size is honoured; total is given (450)");
        check(50, Some(450), None, "at most 50 at once; total is given (450), total_page is not given");
        check(50, None, Some(9), "at most 50 at once");
        check(450, None, None, "does not heed the page size; total is not given");
        check(7, Some(7), Some(1), "7 came, which is all");
        check(7, None, None, "7 came, which is all");
    }

    #[test]
    fn clocks_that_are_far_apart_are_a_warning() {
        let check = |ahead, want: &str| assert_eq!(clock_words(ahead), want);
        check(None, "Clock: the server does not say its time.");
        check(Some(-1), "Clock: the server's is this machine's.");
        check(Some(120), "Clock: the server's is 2m ahead of this machine's.");
        check(Some(-121), "Clock: WARNING: the server's is 2m 1s behind this machine's; set this one by NTP.");
    }

    #[test]
    fn rows_that_cannot_be_read_are_told() {
        assert_eq!(rows_words(5, 5), "5 rows");
        assert_eq!(rows_words(5, 3), "5 rows, 2 of which posbell cannot read");
        assert!(rows_words(5, 0).contains("none of which"));
        assert!(rows_words(0, 0).contains("cannot be checked"));
    }
}
