//! `posbell fetch`: one reading of the API for a person, under the shop's quota.

use std::io::IsTerminal;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

use super::client::{Client, each_row};
use super::mistaken::need;
use super::{Failure, out, small_runtime};
use crate::api::{FetchLine, FetchQuery};
use crate::config::{Config, ShopConfig};
use crate::service::fetch::asked;

/// How many rows lie between two words about progress.
const PROGRESS: u64 = 1_000;

#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// transactions, stock, credit, members, vendors or buy_documents
    resource: String,
    /// Which shop, where the configuration has several
    #[arg(long)]
    shop: Option<String>,
    /// The product or member with this `_id`
    #[arg(long)]
    id: Option<String>,
    /// The member with this code
    #[arg(long)]
    code: Option<String>,
    /// The members with this telephone number
    #[arg(long)]
    phone: Option<String>,
    /// Only what this is found in: products, vendors, purchase documents
    #[arg(long)]
    term: Option<String>,
    /// Credits: ALL, OUT_OF_PERIOD or IN_OF_PERIOD
    #[arg(long)]
    period: Option<String>,
    /// Credits: paid or pending
    #[arg(long)]
    status: Option<String>,
    /// From this day on (Bangkok), as 2026-11-24: transactions, purchase documents
    #[arg(long)]
    start: Option<String>,
    /// To this day, which is included
    #[arg(long)]
    end: Option<String>,
    /// Transactions: a parameter of which the API's page does not say what it does
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    current_buyer: Option<bool>,
    /// The stock list in one answer instead of page by page
    #[arg(long)]
    whole: bool,
    /// Rows are JSON lines with or without it
    #[arg(long)]
    json: bool,
}

impl FetchArgs {
    fn query(&self) -> FetchQuery {
        FetchQuery {
            resource: self.resource.clone(),
            id: self.id.clone(),
            code: self.code.clone(),
            phone: self.phone.clone(),
            term: self.term.clone(),
            period: self.period.clone(),
            status: self.status.clone(),
            start: self.start.clone(),
            end: self.end.clone(),
            current_buyer: self.current_buyer,
            whole: self.whole,
            probe: false,
        }
    }
}

pub(super) fn fetch(config: &Arc<Config>, args: &FetchArgs) -> Result<(), Failure> {
    let shop = chosen(config, args.shop.as_deref())?;
    let query = args.query();
    asked(&query).map_err(anyhow::Error::msg)?;
    small_runtime()?.block_on(async {
        let client = Client::for_calls(config, shop).await?;
        if !client.is_running() {
            need(config, &[&config.mistakes.shops])?;
        }
        let mut printer = Printer::default();
        let asking = async {
            let lines = client.post_lines(&["shops", shop.id.as_str(), "fetch"], &query).await?;
            each_row(lines, |line| printer.take(line)).await
        };
        let outcome = tokio::select! {
            outcome = asking => outcome,
            _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted after {} rows", printer.rows)),
        };
        Ok(outcome?)
    })
}

/// The shop of that name, or the only one.
fn chosen<'a>(config: &'a Config, name: Option<&str>) -> anyhow::Result<&'a ShopConfig> {
    let known = || config.shops.iter().map(|shop| shop.id.as_str()).collect::<Vec<_>>().join(", ");
    match (name, config.shops.as_slice()) {
        (Some(name), shops) => {
            let found = shops.iter().find(|shop| shop.id.as_str() == name);
            found.with_context(|| format!("there is no shop `{name}`; there is: {}", known()))
        }
        (None, [one]) => Ok(one),
        (None, _) => bail!("there are several shops; say which with --shop: {}", known()),
    }
}

/// Rows to standard output, and everything about them to standard error.
#[derive(Debug, Default)]
struct Printer {
    rows: u64,
}

impl Printer {
    fn take(&mut self, line: FetchLine) -> anyhow::Result<()> {
        match line {
            FetchLine::Row(row) => {
                out::line(row.get())?;
                self.rows += 1;
                // On a terminal the rows themselves are the progress.
                if self.rows.is_multiple_of(PROGRESS) && !std::io::stdout().is_terminal() {
                    out::note(&format!("{} rows so far", self.rows));
                }
            }
            FetchLine::Waiting(why) => out::note(&why),
            FetchLine::Done(0) => out::note("the API has no such rows"),
            FetchLine::Done(_) => {}
            FetchLine::Error(why) if self.rows == 0 => bail!("{why}"),
            FetchLine::Error(why) => bail!("{why} (the list is not whole: {} rows came before)", self.rows),
        }
        Ok(())
    }
}
