//! The command line program.

use std::process::ExitCode;

use clap::Parser;
use diunbox::cli::Cli;
use diunbox::command::{self, Outcome};
use diunbox::completion;

fn main() -> ExitCode {
    if completion::complete() {
        return ExitCode::SUCCESS;
    }
    match command::run(&Cli::parse()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Negative) => ExitCode::from(1),
        Ok(Outcome::Failed) => ExitCode::from(2),
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            command::complain(error);
            ExitCode::from(2)
        }
    }
}
