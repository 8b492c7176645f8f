//! Parses tags as versions, and compares them.
//!
//! A tag is a version if it has at least three numbers, such as `v1.2.3-alpine3.20`. The text around
//! them names the *series*: only versions of one series are compared. Within a series, those with the
//! same first two numbers are a *line*; where the first number is a year, the whole series is one.

use std::cmp::Ordering;

/// The words of pre-releases, from the earliest to the latest. The short ones are recognised only between two
/// numbers, as in `1.0.0b2`.
const PRE_RELEASES: [(&[&str], &[&str]); 3] =
    [(&["alpha"], &["a"]), (&["beta"], &["b"]), (&["rc", "pre", "preview"], &["c"])];
/// The most digits of a number. A longer one is not part of a version.
const DIGITS: usize = 18;

/// A tag that is a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The text around the numbers, with `*` in their place, and `#` in place of builds.
    series: String,
    numbers: Vec<u64>,
    /// The rank of a pre-release's word, and its numbers.
    pre_release: Option<(u8, Vec<u64>)>,
    /// Counters of builds of the same version.
    builds: Vec<u64>,
}

/// The kind of change that an update brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Change {
    Major,
    Minor,
    Patch,
    /// The same version, built again.
    Rebuilt,
    /// There was no digest before.
    New,
    /// It has no digest to compare.
    #[default]
    Unknown,
}

impl Change {
    /// Its name, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Minor => "minor",
            Self::Patch => "patch",
            Self::Rebuilt => "rebuilt",
            Self::New => "new",
            Self::Unknown => "unknown",
        }
    }
}

impl Version {
    /// Reads a tag. Returns `None` if it is not a version.
    pub fn new(tag: &str) -> Option<Self> {
        let start = tag.find(|c: char| c.is_ascii_digit())?;
        let (prefix, mut rest) = tag.split_at(start);
        let numbers = core(&mut rest)?;
        let (mut builds, mut counted) = (Vec::new(), "");
        if let Some((build, after)) = rest.strip_prefix('_').and_then(leading_number) {
            builds.push(build);
            (counted, rest) = ("_#", after);
        }
        let (pre_release, suffix) = match pre_release(rest) {
            Some((pre_release, suffix)) => (Some(pre_release), suffix),
            None => trailing_pre_release(rest),
        };
        let suffix = without_builds(suffix, &mut builds);
        let series = format!("{}*{counted}{suffix}", without_v(prefix));
        Some(Self { series, numbers, pre_release, builds })
    }

    /// The text around the numbers.
    pub fn series(&self) -> &str {
        &self.series
    }

    /// A text that sorts as the versions of one series do.
    pub fn rank(&self) -> String {
        let mut rank: String = self.numbers.iter().copied().map(sortable).collect();
        // Both marks sort before a further number.
        match &self.pre_release {
            Some((word, numbers)) => {
                rank.push(' ');
                rank.push(char::from(b'0' + word));
                rank.extend(numbers.iter().copied().map(sortable));
            }
            None => rank.push('!'),
        }
        rank.extend(self.builds.iter().copied().map(sortable));
        rank
    }

    /// The range of ranks of this version's line, without its end.
    pub fn line(&self) -> (String, String) {
        if self.is_year() {
            return (sortable(YEARS[0]), sortable(YEARS[1]));
        }
        let start: String = self.numbers[..2].iter().copied().map(sortable).collect();
        let end = format!("{start}~");
        (start, end)
    }

    fn is_year(&self) -> bool {
        (YEARS[0]..YEARS[1]).contains(&self.numbers[0])
    }

    /// Compares two versions of one series if one can supersede the other: both are in one line, and a pre-release has
    /// the numbers of the other. `Equal` means that only their build dates can tell.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let is_one_line = self.series == other.series
            && (self.is_year() && other.is_year() || self.numbers[..2] == other.numbers[..2]);
        let are_releases = self.pre_release.is_none() && other.pre_release.is_none();
        let can_be = is_one_line && (are_releases || self.numbers == other.numbers);
        can_be.then(|| self.rank().cmp(&other.rank()))
    }

    /// The kind of change from an older version of the same series.
    pub fn change_from(&self, older: &Self) -> Change {
        let numbers = self.numbers.iter().zip(&older.numbers);
        match numbers.take_while(|(ours, theirs)| ours == theirs).count() {
            0 => Change::Major,
            1 => Change::Minor,
            same if same < self.numbers.len().max(older.numbers.len()) => Change::Patch,
            _ => Change::Rebuilt,
        }
    }
}

/// The range of numbers that count as a year, without its end.
const YEARS: [u64; 2] = [1990, 2100];

/// A number as text that sorts as the number does: its length as a letter, and its digits.
pub fn sortable(number: u64) -> String {
    let digits = number.to_string();
    // A u64 has 20 digits at most.
    let length = char::from(b'A' + u8::try_from(digits.len()).unwrap_or(20));
    format!("{length}{digits}")
}

/// The numbers that a tag starts with, if there are at least three: `1.2.3`, `2026-11-25` or
/// `2026-11-25T09-30-00Z`.
fn core(rest: &mut &str) -> Option<Vec<u64>> {
    let (first, mut after) = leading_number(rest)?;
    let is_date = (YEARS[0]..YEARS[1]).contains(&first) && after.starts_with('-');
    let separator = if is_date { '-' } else { '.' };
    let mut numbers = vec![first];
    while !(is_date && numbers.len() == 3) {
        let Some((number, next)) = after.strip_prefix(separator).and_then(leading_number) else {
            break;
        };
        numbers.push(number);
        after = next;
    }
    if let Some(mut time) = after.strip_prefix('T').filter(|_| is_date) {
        while let Some((number, next)) = leading_number(time.trim_start_matches('-')) {
            numbers.push(number);
            time = next;
        }
        after = time.strip_prefix('Z').unwrap_or(time);
    }
    *rest = after;
    (numbers.len() >= 3).then_some(numbers)
}

/// The number that a text starts with, and what follows it.
fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let number = (digits.len() <= DIGITS).then(|| digits.parse().ok())??;
    Some((number, rest))
}

/// A pre-release directly behind the numbers, such as `-rc.1`, `RC1` or `b2`, and what follows it.
fn pre_release(text: &str) -> Option<((u8, Vec<u64>), &str)> {
    let separated = text.trim_start_matches(['-', '.', '_']);
    let end = separated.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(separated.len());
    let (word, mut rest) = separated.split_at(end);
    let word = word.to_ascii_lowercase();
    let is_attached =
        separated.len() == text.len() && rest.starts_with(|c: char| c.is_ascii_digit());
    let rank = PRE_RELEASES.iter().position(|(words, short)| {
        words.contains(&word.as_str()) || is_attached && short.contains(&word.as_str())
    })?;
    let mut numbers = Vec::new();
    while let Some((number, next)) = leading_number(rest.trim_start_matches('.')) {
        numbers.push(number);
        rest = next;
    }
    let is_whole = rest.is_empty() || rest.starts_with(['-', '.', '_']);
    is_whole.then(|| ((u8::try_from(rank).unwrap_or_default(), numbers), rest))
}

/// A pre-release at the very end, such as that of `-ubi10-rc`, and what stands before it.
fn trailing_pre_release(text: &str) -> (Option<(u8, Vec<u64>)>, &str) {
    let found = text.rfind('-').and_then(|at| {
        let (pre_release, rest) = pre_release(&text[at..])?;
        rest.is_empty().then_some((pre_release, &text[..at]))
    });
    found.map_or((None, text), |(pre_release, suffix)| (Some(pre_release), suffix))
}

/// A suffix with `#` in place of each counter or hash of a build at its end: `-ls126`, `-r22`, `-ce.0`,
/// `_8` and `-7eb2c8f6f`. The counters are added, the later ones last.
fn without_builds(suffix: &str, builds: &mut Vec<u64>) -> String {
    let (mut rest, mut replaced, mut found) = (suffix, String::new(), Vec::new());
    while let Some(at) = rest.rfind(['-', '_']) {
        let last = &rest[at..];
        let counter = ["-ls", "-r", "-ce.", "-ee.", "_"].into_iter().find_map(|word| {
            let (number, after) = leading_number(last.strip_prefix(word)?)?;
            after.is_empty().then_some((word, number))
        });
        let kept = match counter {
            Some((word, number)) => {
                found.push(number);
                word
            }
            None if is_hash(&last[1..]) => "-",
            None => break,
        };
        replaced.insert_str(0, &format!("{kept}#"));
        rest = &rest[..at];
    }
    builds.extend(found.into_iter().rev());
    format!("{rest}{replaced}")
}

fn is_hash(text: &str) -> bool {
    (7..=40).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        // A word can consist of these letters only.
        && text.bytes().any(|byte| byte.is_ascii_digit())
}

/// A prefix without its `v`, which only marks a version.
fn without_v(prefix: &str) -> &str {
    let before = prefix.strip_suffix(['v', 'V']).unwrap_or(prefix);
    if before.ends_with(|c: char| c.is_ascii_alphanumeric()) { prefix } else { before }
}

#[cfg(test)]
mod tests;
