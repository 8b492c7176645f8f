//! `diunbox undo`: takes back an action.

use std::io::Write;

use super::triage::report;
use super::{Error, Outcome, Session, complain};
use crate::cli::Undo;

pub(super) fn run(args: &Undo, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let Some(store) = session.open_existing()? else {
        return Ok(Outcome::Negative);
    };
    match (store.undo(args.id, &session.stamp(args.note.clone()))?, args.id) {
        (Some(receipt), _) => {
            if receipt.id.is_none() {
                complain("nothing was taken back");
            }
            report(receipt, false, session, out)
        }
        (None, Some(id)) => {
            complain(format_args!("no action {id}: `diunbox history` lists the actions"));
            Ok(Outcome::Negative)
        }
        (None, None) => {
            complain("nothing to undo: no action of yours from the command line is left");
            Ok(Outcome::Negative)
        }
    }
}
