//! `diunbox import`: takes everything over from another inbox.

use super::{Error, Outcome, Session, count};
use crate::cli::Import;
use crate::store::Imported;

pub(super) fn run(args: &Import, session: &Session) -> Result<Outcome, Error> {
    if !args.from.is_file() {
        return Err(Error::Message(format!("{} is not a file", args.from.display())));
    }
    let Imported { added, changed, actions } = session.open()?.import(&args.from)?;
    let (added, actions) = (count(added, "update"), count(actions, "action"));
    session.note(format_args!("added {added} and {actions}, changed {}", count(changed, "update")));
    Ok(Outcome::Done)
}
