//! `diunbox ingest`: events from files, a pipe, or Diun's script notifier.
//!
//! One thread reads and parses, this one stores: in batches, and whenever the input pauses, so that events of
//! `tail -f … | diunbox ingest` are stored at once.

mod progress;

use std::io::{BufWriter, IsTerminal, Seek};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use chrono::Utc;

use self::progress::Progress;

use super::{Error, Outcome, Session, complain};
use crate::cli::Ingest;
use crate::event::Event;
use crate::inbox::received::Received;
use crate::ingest::source::{self, Found, Source};
use crate::render::json;
use crate::store::{Store, folder_of};

/// A batch ends when the input pauses for this long.
const DRY: Duration = Duration::from_millis(20);
/// A batch also ends after this time, because its events are visible only after its transaction.
const LONGEST: Duration = Duration::from_millis(200);
/// The most events of a batch. More would gain little, and let other writers wait longer.
const MOST_EVENTS: usize = 16 * 1024;
/// The pause after a full batch. Other writers poll the lock every 2 ms, so they can get it.
const TURN: Duration = Duration::from_millis(6);
/// How many chunks the reader may be ahead of the store.
const AHEAD: usize = 16;

pub(super) fn run(args: &Ingest, session: &Session) -> Result<Outcome, Error> {
    if args.from_env {
        let received = Received::now(Event::from_env(std::env::vars_os())?, Utc::now());
        let batch = std::slice::from_ref(&received);
        if let Err(error) = session.open().and_then(|store| Ok(store.upsert_all(batch)?)) {
            // Diun does not send it again. `ingest` reads this line.
            let _ = json::line(&mut std::io::stderr(), &received);
            return Err(error);
        }
        session.note("stored 1 event");
        return Ok(Outcome::Done);
    }
    let sources = sources(&args.files);
    if sources.iter().any(|source| matches!(source, Source::Input))
        && std::io::stdin().is_terminal()
    {
        session.note("reading events from the terminal; end them with Ctrl-D");
    }
    if args.strict { strict(sources, session) } else { lenient(sources, session) }
}

fn sources(files: &[PathBuf]) -> Vec<Source> {
    if files.is_empty() {
        return vec![Source::Input];
    }
    let source = |file: &PathBuf| {
        if file == Path::new("-") { Source::Input } else { Source::File(file.clone()) }
    };
    files.iter().map(source).collect()
}

/// Stores the good events, and reports the bad ones.
fn lenient(sources: Vec<Source>, session: &Session) -> Result<Outcome, Error> {
    let store = session.open()?;
    let mut progress = Progress::new(&sources, session.quiet);
    let (sender, receiver) = sync_channel(AHEAD);
    let read = move || source::read(sources, |found| sender.send(found).is_ok());
    let reader = thread::Builder::new().name("reader".into()).spawn(read);
    let reader =
        reader.map_err(|error| Error::Message(format!("cannot start a thread: {error}")))?;
    let result = store_all(&*store, &receiver, &mut progress);
    drop(receiver);
    // After an error the reader may still wait for a pipe that never ends.
    if result.is_ok() {
        let _ = reader.join();
    }
    progress.finish();
    session.note(progress.summary());
    result?;
    Ok(if progress.refused > 0 { Outcome::Failed } else { Outcome::Done })
}

fn store_all(
    store: &dyn Store,
    receiver: &Receiver<Found>,
    progress: &mut Progress,
) -> Result<(), Error> {
    // The database is created only when there is something to store.
    while let Ok(mut batch) = receiver.recv() {
        let began = Instant::now();
        while batch.events.len() < MOST_EVENTS && began.elapsed() < LONGEST {
            let Ok(found) = receiver.recv_timeout(DRY) else { break };
            batch.events.extend(found.events);
            batch.complaints.extend(found.complaints);
            batch.warnings.extend(found.warnings);
            batch.bytes += found.bytes;
        }
        let result = if batch.events.is_empty() { Ok(()) } else { store.upsert_all(&batch.events) };
        progress.add(&batch, result.is_ok());
        result?;
        if batch.events.len() >= MOST_EVENTS {
            thread::sleep(TURN);
        }
    }
    Ok(())
}

/// Reads everything first, and keeps it in a temporary file, so that the store is locked only while it is written,
/// however slow the input is.
fn strict(sources: Vec<Source>, session: &Session) -> Result<Outcome, Error> {
    // The folder of the database may be the only one that can be written to.
    let store = session.open()?;
    let folder =
        store.location().path().map_or_else(std::env::temp_dir, |path| folder_of(path).into());
    let fail = |error| Error::File { action: "write to", path: folder.clone(), error };
    let mut kept = BufWriter::new(tempfile::tempfile_in(&folder).map_err(fail)?);
    let (mut refused, mut written) = (0, Ok(()));
    source::read(sources, |found| {
        found.warnings.iter().chain(&found.complaints).for_each(complain);
        refused += found.complaints.len();
        written =
            found.events.iter().try_for_each(|event| Ok(serde_json::to_writer(&mut kept, event)?));
        written.is_ok()
    });
    written.map_err(fail)?;
    if refused > 0 {
        session.note(format_args!("stored nothing: {refused} bad and --strict"));
        return Ok(Outcome::Failed);
    }
    let mut kept = kept.into_inner().map_err(|error| fail(error.into_error()))?;
    kept.rewind().map_err(fail)?;
    lenient(vec![Source::Kept(kept)], session)
}
