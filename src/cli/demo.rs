//! `posbell demo`: the whole product with no account and no file.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::{Failure, out};
use crate::demo::{self, DemoPlan};
use crate::service::clock::Clock;

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// End after so long, for example `30s`; otherwise on Ctrl-C
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    length: Option<Duration>,
    /// How many times faster the shop does business
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// What the shop does: the same seed does the same
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if (0.1..=100.0).contains(&speed) { Ok(speed) } else { Err("must be from 0.1 to 100".to_owned()) }
}

/// When nobody reads on, the demo still ends in order.
fn print(line: &str) {
    drop(out::line(line));
}

pub(super) fn demo(args: &DemoArgs) -> Result<(), Failure> {
    let plan = DemoPlan { length: args.length, speed: args.speed, seed: args.seed };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(async {
        let end = async {
            // Without a way to hear Ctrl-C it kills the process, which ends the demo too.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        demo::run(plan, Clock::default(), Arc::new(print), end).await
    })?;
    if report.forged + report.violations > 0 {
        return Err(anyhow::anyhow!("the demo has shown something that must not happen").into());
    }
    Ok(())
}
