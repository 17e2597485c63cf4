//! The command line: one file a command.
//!
//! Exit status: 0 done; 1 it failed; 2 wrong use; 78 the configuration or a rule file is wrong, on which systemd must
//! not start it again.

mod act;
mod backup;
mod check;
mod client;
mod damaged;
mod deliveries;
mod demo;
mod events;
mod export;
mod fetch;
mod held;
mod mask;
mod mistaken;
mod online;
mod open_address;
mod out;
mod problems;
mod replay;
mod restore;
mod resume;
mod run;
mod schema;
mod status;
mod table;
mod unit;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Problem};
use crate::domain::outbox::Act;
use crate::edge::store::{make_all_private, work_as_owner};
use crate::service::clock::Clock;
use crate::service::telemetry::{self, LogFormat};

pub use held::in_words as held_in_words;
pub use out::chain;

/// The bell on the till: turns changes in POSPOS shops into webhooks, e-mail and chat messages.
#[derive(Debug, Parser)]
#[command(name = "posbell", version, about, max_term_width = 100)]
pub struct Cli {
    /// The configuration file [default: ./posbell.toml, else /etc/posbell/posbell.toml]
    #[arg(long, global = true, env = "POSBELL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service until it is stopped
    Run(run::RunArgs),
    /// Show the whole product with a simulated shop; needs no account and no file
    Demo(demo::DemoArgs),
    /// Check the configuration and the rules
    Check {
        /// Besides, read one page of each resource and say what the key really gives
        #[arg(long)]
        online: bool,
    },
    /// Show shops, passes, quota and what waits to be sent
    Status(status::StatusArgs),
    /// List what has happened
    Events(events::EventsArgs),
    /// List messages and what became of them
    Deliveries(deliveries::DeliveriesArgs),
    /// Try dead letters again, at once and with a new `retry_for`; also what waits for its next attempt
    ///
    /// The message keeps its id and its attempts; the receiver sees the same `webhook-id`, a mailbox the same Message-ID.
    Retry(act::RetryArgs),
    /// End deliveries for good: they are kept to be read, and never sent
    ///
    /// One that is on its way at this very moment may still arrive, and counts as delivered then.
    Drop(act::DropArgs),
    /// Send past events again, with the ids they had; what waits already is left alone
    ///
    /// What was planned then is sent as it was, whether it was delivered, is a dead letter or was dropped. A receiver that
    /// has had it can tell by its `webhook-id`. If it is interrupted, the same command said again within the hour
    /// finishes the rest and doubles nothing.
    Replay(replay::ReplayArgs),
    /// List readings that were not believed, and say whether they are right
    Held(held::HeldArgs),
    /// Read the API once under the shop's quota, and print its rows as JSON lines
    Fetch(fetch::FetchArgs),
    /// Write a copy of all that posbell knows into a file, also while it runs
    Backup(backup::BackupArgs),
    /// Put a copy in the place of what posbell knows: a file, or the newest of its own; the service must be stopped
    Restore(restore::RestoreArgs),
    /// Print all of something as JSON lines, also while the service runs
    Export {
        /// Of what
        #[command(subcommand)]
        what: export::What,
    },
    /// Print the JSON Schema of what other programs see; needs no configuration
    Schema {
        /// Of what
        name: schema::Name,
    },
    /// Read a shop again whose key was refused
    Resume {
        /// The shop's id
        shop: String,
    },
}

/// How a listing is printed.
#[derive(Debug, Clone, Args)]
struct Listing {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// The configuration is wrong; every mistake has been printed.
    BadConfig,
    /// The answer is no, and it has been printed.
    Told,
    /// Anything else, still to be printed.
    Failed(anyhow::Error),
}

impl Failure {
    /// The exit status of the process.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            // EX_CONFIG of sysexits.h.
            Failure::BadConfig => ExitCode::from(78),
            Failure::Told | Failure::Failed(_) => ExitCode::FAILURE,
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Failed(error.into())
    }
}

impl Cli {
    /// Does what was asked.
    pub fn run(self) -> Result<(), Failure> {
        make_all_private();
        let done = self.obey();
        telemetry::finish();
        match done {
            Err(Failure::Failed(error)) if out::is_closed_pipe(&error) => Ok(()),
            done => done,
        }
    }

    fn obey(self) -> Result<(), Failure> {
        let log = std::env::var("POSBELL_LOG").ok();
        match &self.command {
            Command::Demo(args) => {
                telemetry::start(Some(log.as_deref().unwrap_or("warn,posbell=warn")), LogFormat::Text);
                return demo::demo(args);
            }
            Command::Schema { name } => return schema::schema(*name),
            Command::Run(args) => telemetry::start(log.as_deref(), args.log_format()),
            _ => telemetry::start(Some(log.as_deref().unwrap_or("warn")), LogFormat::Text),
        }
        let config = Arc::new(self.load()?);
        if let Err(unable) = work_as_owner(&config.data_dir) {
            out::note(&unable.to_string());
        }
        let done = self.mistakes(&config).and_then(|()| self.obey_with(&config));
        done.map_err(|failure| match &self.command {
            // It says itself what it has found.
            Command::Restore(_) => failure,
            _ => damaged::with_the_way_out(failure, &config, Clock::default().now()),
        })
    }

    /// What is wrong in the files: it keeps the service from starting, and is a note beside what works without.
    fn mistakes(&self, config: &Config) -> Result<(), Failure> {
        match &self.command {
            _ if config.mistakes.is_empty() => Ok(()),
            Command::Run(_) => Err(mistaken::keeps_from_starting(config, &config.mistakes.all())),
            Command::Check { .. } => Err(bad_config(&config.mistakes.all())),
            _ => {
                mistaken::note(config);
                Ok(())
            }
        }
    }

    fn obey_with(&self, config: &Arc<Config>) -> Result<(), Failure> {
        match &self.command {
            Command::Run(_) => run::run(config),
            Command::Demo(_) | Command::Schema { .. } => Ok(()),
            Command::Check { online } => check::check(config, *online),
            Command::Status(args) => status::status(config, args),
            Command::Events(args) => events::events(config, args),
            Command::Deliveries(args) => deliveries::deliveries(config, args),
            Command::Retry(args) => act::act(config, Act::Retry, &args.clone().into()),
            Command::Drop(args) => act::act(config, Act::Drop, &args.clone().into()),
            Command::Replay(args) => replay::replay(config, args),
            Command::Held(args) => held::held(config, args),
            Command::Fetch(args) => fetch::fetch(config, args),
            Command::Backup(args) => backup::backup(config, args),
            Command::Restore(args) => restore::restore(config, args),
            Command::Export { what } => export::export(config, what),
            Command::Resume { shop } => resume::resume(config, shop),
        }
    }

    fn load(&self) -> Result<Config, Failure> {
        let path = self.config.clone().unwrap_or_else(standard_path);
        if self.config.is_none() && !path.exists() {
            out::note(&format!(
                "there is no configuration: neither ./posbell.toml nor {} exists; name one with --config",
                path.display()
            ));
            return Err(Failure::BadConfig);
        }
        Config::load_partly(&path, &env).map_err(|found| bad_config(&found))
    }
}

/// Prints every problem.
fn bad_config(found: &[Problem]) -> Failure {
    problems::print(found);
    Failure::BadConfig
}

fn standard_path() -> PathBuf {
    let here = PathBuf::from("posbell.toml");
    if here.exists() { here } else { PathBuf::from("/etc/posbell/posbell.toml") }
}

/// What may be asked of the environment.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A runtime for a command that asks one question.
fn small_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
