//! What every test of the program from outside needs: an inbox of its own.

#![allow(dead_code, reason = "each test program uses its part")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use tempfile::TempDir;

/// A folder with a database in it, both gone when the test ends.
pub struct Inbox {
    folder: TempDir,
}

impl Inbox {
    /// An inbox without a database yet.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// An inbox that has taken a fixture in.
    pub fn with(name: &str) -> Self {
        let inbox = Self::new();
        inbox.diunbox(["ingest"]).arg(fixture(name)).assert().success();
        inbox
    }

    /// A path in the inbox's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the database is, or will be.
    pub fn database(&self) -> PathBuf {
        self.path("diunbox.db")
    }

    /// The program with some arguments, on this inbox and in an environment that holds nothing else.
    pub fn diunbox<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(program());
        command.env_clear().env("DIUNBOX_DB", self.database()).args(arguments);
        command
    }

    /// What the program prints with some arguments; it must succeed.
    pub fn output<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        let output = self.diunbox(arguments).assert().success().get_output().stdout.clone();
        String::from_utf8(output).unwrap()
    }
}

/// The program.
pub fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_diunbox"))
}

/// A file of `tests/fixtures`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}
