//! The progress bar of `ingest`.

use std::fs;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Source, complain};
use crate::ingest::source::Found;
use crate::render::counts::count;

/// A bar is shown after this time.
const SOON: Duration = Duration::from_secs(1);

/// Counts, and shows the counts on a terminal if it takes long.
pub(super) struct Progress {
    /// Stored events.
    pub(super) stored: usize,
    /// Broken events, and files that could not be read.
    pub(super) refused: usize,
    started: Instant,
    bytes: u64,
    total: Option<u64>,
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Progress {
    pub(super) fn new(sources: &[Source], quiet: bool) -> Self {
        let length = |source: &Source| match source {
            Source::File(path) => fs::metadata(path).ok().filter(fs::Metadata::is_file),
            Source::Kept(file) => file.metadata().ok(),
            Source::Input => None,
        };
        let total = sources.iter().map(|source| length(source).map(|file| file.len())).sum();
        let started = Instant::now();
        Self { stored: 0, refused: 0, started, bytes: 0, total, bar: None, quiet }
    }

    /// Counts a batch, stored or not.
    pub(super) fn add(&mut self, batch: &Found, is_stored: bool) {
        self.stored += if is_stored { batch.events.len() } else { 0 };
        self.refused += batch.complaints.len();
        self.bytes += batch.bytes;
        if self.bar.is_none() && !self.quiet && self.started.elapsed() >= SOON {
            self.bar = Some(self.new_bar());
        }
        let complain = || batch.warnings.iter().chain(&batch.complaints).for_each(complain);
        match &self.bar {
            Some(bar) => bar.suspend(complain),
            None => complain(),
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.bytes);
            bar.set_message(self.stored.to_string());
        }
    }

    fn new_bar(&self) -> ProgressBar {
        // indicatif draws nothing if standard error is not a terminal.
        let bar = ProgressBar::with_draw_target(self.total, ProgressDrawTarget::stderr());
        let template = match self.total {
            Some(_) => "{bar:30} {bytes}/{total_bytes}, {msg} events, {eta} left",
            None => "{spinner} {bytes}, {msg} events",
        };
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// A sentence with the result.
    pub(super) fn summary(&self) -> String {
        let refused = match self.refused {
            0 => String::new(),
            refused => format!(", {refused} bad"),
        };
        format!("stored {}{refused}", count(self.stored as u64, "event"))
    }
}
