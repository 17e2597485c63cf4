//! `posbell held`: readings that were not believed, what they would have changed, and a person's word on them.

use std::sync::Arc;

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use serde::Deserialize;

use super::client::{Client, parsed};
use super::{Failure, Listing, out, small_runtime, table};
use crate::api::HeldPass;
use crate::config::Config;
use crate::domain::diff::guard::{Decision, Example, GuardLimits, Standing, Suspicion};
use crate::domain::model::Resource;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct HeldArgs {
    #[command(subcommand)]
    command: Option<HeldCommand>,
    #[command(flatten)]
    listing: Listing,
}

#[derive(Debug, Subcommand)]
enum HeldCommand {
    /// List what is held
    List {
        #[command(flatten)]
        listing: Listing,
    },
    /// Show what a held pass would have changed
    Show {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        listing: Listing,
    },
    /// Believe it: the next whole pass that shows this is accepted
    Release {
        #[command(flatten)]
        which: Which,
    },
    /// Go on refusing it, without a daily notice, until a pass shows something else
    Drop {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, Args)]
struct Which {
    /// The shop's id
    shop: String,
    /// What was read: transactions, stock, credit, members, vendors or buy_documents
    resource: String,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<HeldPass>,
}

pub(super) fn held(config: &Arc<Config>, args: &HeldArgs) -> Result<(), Failure> {
    small_runtime()?.block_on(async {
        match &args.command {
            None => list(config, &args.listing).await,
            Some(HeldCommand::List { listing }) => list(config, listing).await,
            Some(HeldCommand::Show { which, listing }) => show(config, which, listing).await,
            Some(HeldCommand::Release { which }) => decide(config, which, Decision::Release).await,
            Some(HeldCommand::Drop { which }) => decide(config, which, Decision::Drop).await,
        }
    })?;
    Ok(())
}

async fn list(config: &Arc<Config>, listing: &Listing) -> anyhow::Result<()> {
    let page: Page = parsed(&Client::find(config).await?.get(&["held"]).await?)?;
    if listing.json {
        for pass in &page.data {
            out::line(&serde_json::to_string(pass)?)?;
        }
    } else if page.data.is_empty() {
        out::line("No pass is held.")?;
    } else {
        let zone = config.wording.timezone;
        let rows: Vec<Vec<String>> = page.data.iter().map(|pass| row(pass, zone)).collect();
        let mut text = table::aligned(&["SHOP", "RESOURCE", "HELD SINCE", "STATE", "IT WOULD CHANGE"], &rows);
        text.push_str(
            "\nSee `posbell held show SHOP RESOURCE`; if it is right: `posbell held release SHOP RESOURCE`.\n",
        );
        out::text(&text)?;
    }
    Ok(())
}

async fn show(config: &Arc<Config>, which: &Which, listing: &Listing) -> anyhow::Result<()> {
    let answer = Client::find(config).await?.get(&["held", &which.shop, &which.resource]).await?;
    if listing.json {
        out::line(&answer)?;
    } else {
        let pass: HeldPass = parsed(&answer)?;
        let shop = config.shops.iter().find(|known| known.id.as_str() == pass.shop);
        let limits = Resource::by_name(&pass.resource).map(|of| shop.map(|shop| shop.guard).unwrap_or_default().of(of));
        out::text(&in_words(&pass, &limits.unwrap_or_default(), config.wording.timezone))?;
    }
    Ok(())
}

async fn decide(config: &Arc<Config>, which: &Which, decision: Decision) -> anyhow::Result<()> {
    let word = match decision {
        Decision::Release => "release",
        Decision::Drop => "drop",
    };
    let path = ["held", &which.shop, &which.resource, word];
    let pass: HeldPass = parsed(&Client::find(config).await?.post(&path).await?)?;
    let HeldPass { shop, resource, .. } = &pass;
    for line in changes(&pass) {
        out::line(&line)?;
    }
    out::line(&match decision {
        Decision::Release => format!(
            "Released: the next whole pass over {resource} of {shop} that shows about this is accepted and told in one \
             message."
        ),
        Decision::Drop => format!(
            "Dropped: {resource} of {shop} stays as it was known, without a daily notice, until a pass shows something \
             else. `posbell held release {shop} {resource}` still believes it."
        ),
    })?;
    Ok(())
}

fn row(pass: &HeldPass, zone: Tz) -> Vec<String> {
    vec![
        pass.shop.clone(),
        pass.resource.clone(),
        table::moment(pass.held.since, zone),
        state(pass.held.standing).to_owned(),
        changes_of(pass).into_iter().map(|(_, change)| change).collect::<Vec<_>>().join("; "),
    ]
}

/// The word for what is to become of it.
pub(super) fn state(standing: Standing) -> &'static str {
    match standing {
        Standing::Waiting => "waiting",
        Standing::Released => "released",
        Standing::Dropped => "dropped",
    }
}

/// `412 of 450 products would be out of stock` for each thing that it would do.
fn changes_of(pass: &HeldPass) -> Vec<(Suspicion, String)> {
    let things = match pass.resource.as_str() {
        "stock" => "products",
        "transactions" => "sales",
        "credit" => "credits",
        "buy_documents" => "purchase documents",
        other => other,
    };
    let census = &pass.held.census;
    let present = Suspicion::ALL.into_iter().filter(|suspicion| census.counts.of(*suspicion) > 0);
    let said = present.map(|suspicion| {
        let does = match suspicion {
            Suspicion::Vanished => "are not there any more",
            Suspicion::QuantityLost => "would have no quantity any more",
            Suspicion::ToZero => "would be out of stock",
            Suspicion::Renamed => "would have another name or code",
            Suspicion::Emptied => "would have nothing, or zero, where they had something",
            Suspicion::Rewritten => "would be another in what hardly ever changes",
            Suspicion::Cancelled => "would be cancelled",
            Suspicion::Doubled => "would be there once more under another id",
            Suspicion::Implausible => "would have figures that no day makes",
        };
        (suspicion, format!("{} of {} {things} {does}", census.counts.of(suspicion), census.known))
    });
    said.collect()
}

/// The same with a few products each.
fn changes(pass: &HeldPass) -> Vec<String> {
    let with_examples = |(does, mut change): (Suspicion, String)| {
        let examples = pass.held.census.examples.iter().filter(|example| example.does == does);
        let examples: Vec<String> = examples.map(example).collect();
        if !examples.is_empty() {
            change.push_str(&format!(", e.g. {}", examples.join(", ")));
        }
        change
    };
    changes_of(pass).into_iter().map(with_examples).collect()
}

fn example(example: &Example) -> String {
    let named = [&example.code, &example.name].into_iter().flatten().cloned().collect::<Vec<_>>().join(" ");
    match &example.becomes {
        Some(becomes) if becomes.is_empty() => format!("{named} → nothing"),
        Some(becomes) => format!("{named} → {becomes}"),
        None => named,
    }
}

/// What `posbell held show` says of a pass, with times in that zone.
pub fn in_words(pass: &HeldPass, limits: &GuardLimits, zone: Tz) -> String {
    let HeldPass { shop, resource, held } = pass;
    let mut text = format!(
        "{resource} of {shop} is held since {}; last read {}, {} passes alike\n",
        table::moment(held.since, zone),
        table::moment(held.last_seen, zone),
        held.passes
    );
    for change in changes(pass) {
        text.push_str(&format!("  {change}\n"));
    }
    text.push_str("What was known before stands, and nothing of this is told.\n\n");
    let release = format!("posbell held release {shop} {resource}");
    text.push_str(&match held.standing {
        Standing::Released => "It is released: the next whole pass that shows about this is accepted.\n".to_owned(),
        Standing::Dropped => format!("It is dropped: refused without notices. If it is right, type: {release}\n"),
        Standing::Waiting => {
            let after = humantime::format_duration(limits.accept_after);
            let by_itself = match held.may_be_accepted(limits) {
                true => format!("It is accepted by itself when every pass shows it for {after}.\n"),
                false => "It is not accepted by itself, because something is missing.\n".to_owned(),
            };
            format!("{by_itself}If it is right, type: {release}\nIf it is wrong and you know, type: posbell held drop {shop} {resource}\n")
        }
    });
    text
}
