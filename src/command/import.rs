//! `diunbox import`: imports everything from another inbox.

use super::{Error, Outcome, Session, count};
use crate::cli::Import;
use crate::store::{self, Imported, Location};

pub(super) fn run(args: &Import, session: &Session) -> Result<Outcome, Error> {
    let from = Location::parse(&args.from).map_err(Error::Message)?;
    if from.path().is_some_and(|path| !path.is_file()) {
        return Err(Error::Message(format!("{from} is not a file")));
    }
    let store = session.open()?;
    let Imported { added, changed, actions } = store::import(&*store, &from, session.patience)?;
    let (added, actions) = (count(added, "update"), count(actions, "action"));
    session.note(format_args!("added {added} and {actions}, changed {}", count(changed, "update")));
    Ok(Outcome::Done)
}
