//! `diunbox completions`: prints the completion script of a shell.

use std::io::Write;

use super::{Error, Outcome};
use crate::cli::Completions;
use crate::completion;

pub(super) fn run(args: &Completions, out: &mut impl Write) -> Result<Outcome, Error> {
    completion::script(args.shell, out)?;
    Ok(Outcome::Done)
}
