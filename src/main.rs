//! The program: parse, call, print the error chain, exit status.

use std::process::ExitCode;

use clap::Parser;
use posbell::cli::{Cli, Failure};

fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Failure::Failed(error) = &failure {
                eprintln!("posbell: {error:#}");
            }
            failure.exit_code()
        }
    }
}
