//! Syncs of the write-ahead log beside the writer.
//!
//! In a bulk one transaction follows on another. Each ends without a sync, and a thread does that
//! while the next is stored, so that no more than one is ahead of the disk.

use std::fs::File;
use std::io;
use std::path::Path;
use std::thread::{self, JoinHandle};

/// The sync that is under way, if one is.
#[derive(Debug, Default)]
pub(super) struct Syncer(Option<JoinHandle<io::Result<()>>>);

impl Syncer {
    /// Makes durable what was committed to a log, and waits for it.
    pub(super) fn sync(&mut self, log: &Path) -> io::Result<()> {
        self.wait()?;
        sync(log)
    }

    /// Begins to make durable what was committed to a log, and waits only for what was begun before.
    pub(super) fn begin(&mut self, log: &Path) -> io::Result<()> {
        self.wait()?;
        let owned = log.to_owned();
        match thread::Builder::new().name("syncer".into()).spawn(move || sync(&owned)) {
            Ok(thread) => {
                self.0 = Some(thread);
                Ok(())
            }
            Err(_) => sync(log),
        }
    }

    fn wait(&mut self) -> io::Result<()> {
        let Some(thread) = self.0.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the sync did not end")))
    }
}

fn sync(log: &Path) -> io::Result<()> {
    match File::open(log) {
        // It was moved or deleted together with its database, which is then opened anew.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        file => file?.sync_data(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_that_failed_meanwhile_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let (log, bad) = (folder.path().join("log"), folder.path().join("log/bad"));
        File::create(&log).unwrap();
        let mut syncer = Syncer::default();
        syncer.begin(&bad).unwrap();
        syncer.begin(&log).unwrap_err();
        syncer.begin(&bad).unwrap();
        syncer.sync(&log).unwrap_err();
        syncer.begin(&log).unwrap();
        syncer.sync(&log).unwrap();
    }
}
