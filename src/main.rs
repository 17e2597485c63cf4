//! The program: parse, call, print the error chain, exit status.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use posbell::cli::{Cli, Failure, chain};

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Failure::Failed(error) = &failure {
                // Nobody may read it: that is no second failure.
                drop(writeln!(std::io::stderr(), "posbell: {}", chain(error)));
            }
            failure.exit_code()
        }
    }
}
