//! `diunbox backup`: a copy of the database, while others write to it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Error, Outcome, Session};
use crate::cli::Backup;
use crate::store::folder_of;

pub(super) fn run(
    args: &Backup,
    session: &Session,
    out: &mut impl Write,
) -> Result<Outcome, Error> {
    let Some(store) = session.open_existing()? else {
        return Ok(Outcome::Negative);
    };
    let to_pipe = args.file.as_os_str() == "-";
    if to_pipe && session.terminal.width.is_some() {
        let message = "a database is not for a terminal: name a file, or redirect the output";
        return Err(Error::Message(message.to_owned()));
    }
    if !to_pipe {
        check_target(&args.file, store.location().path(), args.force)?;
    }
    let folder = match store.location().path() {
        // A pipe has no folder. That of the database may be the only one that can be written to.
        Some(database) if to_pipe => folder_of(database).to_owned(),
        None if to_pipe => std::env::temp_dir(),
        _ => folder_of(&args.file).to_owned(),
    };
    let folder = folder.as_path();
    let fail = |action, path: &Path| {
        let path = path.to_owned();
        move |error| Error::File { action, path, error }
    };
    // The file gets its name only when it is complete, and is removed if this fails.
    let copy = tempfile::Builder::new()
        .prefix(".diunbox-backup-")
        .tempfile_in(folder)
        .map_err(fail("create a file in", folder))?;
    store.backup(copy.path())?;
    if to_pipe {
        let mut copy = File::open(copy.path()).map_err(fail("read", copy.path()))?;
        io::copy(&mut copy, out)?;
        return Ok(Outcome::Done);
    }
    copy.as_file().sync_all().map_err(fail("write", copy.path()))?;
    let persisted =
        if args.force { copy.persist(&args.file) } else { copy.persist_noclobber(&args.file) };
    persisted.map_err(|error| fail("write", &args.file)(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail("write to", folder))?;
    let size = fs::metadata(&args.file).map_err(fail("read", &args.file))?.len();
    session.note(format_args!("wrote {} ({} KiB)", args.file.display(), size / 1024));
    Ok(Outcome::Done)
}

/// Refuses a target that is the database or one of the files beside it, or that is not a file.
fn check_target(target: &Path, database: Option<&Path>, force: bool) -> Result<(), Error> {
    let refuse = |what: &str| {
        Err(Error::Message(format!("{} {what}: choose another name", target.display())))
    };
    let own: Vec<PathBuf> = database.map_or(Vec::new(), |database| {
        let database = fs::canonicalize(database).unwrap_or(database.to_owned());
        let beside = ["", "-wal", "-shm", "-journal"].map(|end| {
            let mut name = database.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        });
        beside.into()
    });
    let folder = fs::canonicalize(folder_of(target));
    let named = folder.ok().zip(target.file_name()).map(|(folder, name)| folder.join(name));
    if own.iter().any(|own| named.as_ref() == Some(own) || is_same_file(target, own)) {
        return refuse("belongs to the database itself, which cannot be its own backup");
    }
    match fs::metadata(target) {
        Ok(file) if !file.is_file() => refuse("is not a regular file"),
        Ok(_) if !force => Err(Error::Message(format!(
            "{} already exists: choose another name, or use --force to replace it",
            target.display()
        ))),
        _ => Ok(()),
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path| fs::metadata(path).map(|file| (file.dev(), file.ino())).ok();
    id(one).is_some() && id(one) == id(other)
}
