//! `diunbox completions`: the script that makes a shell complete.

use std::io::Write;

use super::{Error, Outcome, complete};
use crate::cli::Completions;

pub(super) fn run(args: &Completions, out: &mut impl Write) -> Result<Outcome, Error> {
    complete::script(args.shell, out)?;
    Ok(Outcome::Done)
}
