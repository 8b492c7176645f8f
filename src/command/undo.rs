//! `diunbox undo`: takes back an action.

use std::io::Write;

use super::triage::report;
use super::{Error, Outcome, Session, complain};
use crate::cli::Undo;
use crate::inbox::history::Page;
use crate::store::Store;

/// A sentence about what an undo took back.
fn done(store: &dyn Store, undo: i64) -> Result<String, Error> {
    let page = Page { image: None, before: Some(undo + 1), limit: 1 };
    let undo = store.history(&page)?.pop();
    let Some(first) = undo.and_then(|undo| undo.undoes) else { return Ok("undone".to_owned()) };
    let page = Page { before: Some(first + 1), ..page };
    let entry = store.history(&page)?.pop().filter(|entry| entry.id == first);
    Ok(entry.map_or_else(
        || format!("undid action {first}"),
        |entry| {
            let detail = entry.detail.map(|detail| format!(" {detail}")).unwrap_or_default();
            format!("undid action {first}: {}{detail}", entry.kind)
        },
    ))
}

pub(super) fn run(args: &Undo, session: &Session, out: &mut impl Write) -> Result<Outcome, Error> {
    let Some(store) = session.open_existing()? else {
        return Ok(Outcome::Negative);
    };
    match (store.undo(args.id, &session.stamp(args.note.clone()))?, args.id) {
        (Some(receipt), _) => {
            match receipt.id {
                Some(id) => session.note(done(&*store, id)?),
                None => complain("nothing was undone"),
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
