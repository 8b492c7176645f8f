use std::collections::BTreeMap;

use super::*;

fn version(tag: &str) -> Version {
    Version::new(tag).unwrap_or_else(|| panic!("{tag}"))
}

/// Whether the first tag supersedes the second.
fn supersedes(newer: &str, older: &str) -> bool {
    let [newer, older] = [newer, older].map(Version::new);
    newer.zip(older).is_some_and(|(newer, older)| newer.compare(&older) == Some(Ordering::Greater))
}

#[test]
fn newer_versions_of_one_line_supersede() {
    for (newer, older) in [
        ("1.0.10", "1.0.2"),
        ("v1.0.3", "1.0.2"),
        ("1.0.2.1", "1.0.2"),
        ("1.0.3", "1.0.2.9"),
        ("1.0.003", "1.0.2"),
        ("4.9.0.12", "4.9.0.9"),
        ("2026.02.0", "2025.11.1"),
        ("2026-08-08", "2026-07-19"),
        ("RELEASE.2024-10-13T13-34-11Z", "RELEASE.2024-08-26T15-33-07Z"),
        ("1.0.3-alpine3.20", "1.0.2-alpine3.20"),
        ("1.0.2-ls126", "1.0.2-ls99"),
        ("1.0.3-7eb2c8f6f", "1.0.2-ebb5fe9f3"),
        ("16.1.0-ce.1", "16.1.0-ce.0"),
        ("17.0.5_8-jdk", "17.0.3_7-jdk"),
        ("17.0.5_8-jdk", "17.0.5_7-jdk"),
        ("11.14.0-debian-10-r22", "11.14.0-debian-10-r9"),
        ("1.0.0", "1.0.0-rc.1"),
        ("1.0.0", "1.0.0b2"),
        ("1.0.0-rc.2", "1.0.0-rc.1"),
        ("1.0.0-rc.1", "1.0.0-beta.9"),
        ("8.5.10", "8.5.10RC1"),
        ("1.0.0-alpine", "1.0.0-rc1-alpine"),
        ("13.0.1-ubi10", "13.0.1-ubi10-rc"),
    ] {
        assert!(supersedes(newer, older), "{newer} {older}");
        assert!(!supersedes(older, newer), "{older} {newer}");
    }
}

#[test]
fn others_do_not() {
    for (one, other) in [
        ("1.1.0", "1.0.9"),
        ("2.0.0", "1.0.0"),
        ("8.5.10RC1", "8.5.9"),
        ("8.5.10", "8.5.9RC1"),
        ("8.5.11RC1", "8.5.10RC1"),
        ("1.0.3-alpine", "1.0.2"),
        ("1.0.3-alpine3.20", "1.0.2-alpine3.19"),
        ("1.0.3-jdk21", "1.0.2-jdk17"),
        ("1.0.3-ce.0", "1.0.2-ee.0"),
        ("1.0.3-effaced", "1.0.2-defaced"),
        ("1.0.3-r1", "1.0.2"),
        ("1.0.3.4-7eb2c8f6f", "1.0.2"),
        ("cli-1.0.3", "1.0.2"),
        ("dev1.0.3", "1.0.2"),
        ("2026.1.1", "26.1.0"),
        ("1.0.02", "1.0.2"),
        ("1.0.2-7eb2c8f6f", "1.0.2-ebb5fe9f3"),
    ] {
        assert!(!supersedes(one, other), "{one} {other}");
        assert!(!supersedes(other, one), "{other} {one}");
    }
}

#[test]
fn floating_tags_words_and_hashes_are_not_versions() {
    for tag in [
        "",
        "latest",
        "1",
        "1.2",
        "v21.05",
        "18-alpine3.24",
        "8.1-debian-11",
        "20260805",
        "nightly-20261124",
        "7eb2c8f6f",
        "1-2-3",
        "jammy-20260810",
        "9999999999999999999.0.0",
        "2026-08",
        "8u502-b07-jdk",
    ] {
        assert_eq!(Version::new(tag), None, "{tag}");
    }
}

#[test]
fn ranks_sort_as_versions_and_lie_within_their_line() {
    let sorted = [
        "0.9.9",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-beta",
        "1.0.0-rc.2",
        "1.0.0-rc.10",
        "1.0.0",
        "1.0.0-r1",
        "1.0.0-r10",
        "1.0.0.1",
        "1.0.1",
        "1.0.10",
        "1.1.0",
        "1.10.0",
        "2024.1.1",
        "2026.1.1",
    ];
    let ranks = sorted.map(|tag| version(tag).rank());
    assert!(ranks.is_sorted(), "{ranks:?}");
    for tag in sorted {
        let (start, end) = version(tag).line();
        for other in sorted.map(version) {
            let is_inside = (&start..&end).contains(&&other.rank());
            let numbers = &version(tag).numbers;
            let is_year = numbers[0] > 1_990;
            let is_one = if is_year { other.is_year() } else { other.numbers[..2] == numbers[..2] };
            assert_eq!(is_inside, is_one, "{tag} {other:?}");
        }
    }
}

#[test]
fn changes_are_named_by_the_first_number_that_differs() {
    for (new, old, change) in [
        ("2.0.0", "1.9.9", Change::Major),
        ("1.1.0", "1.0.9", Change::Minor),
        ("1.0.10", "1.0.9", Change::Patch),
        ("1.0.9.1", "1.0.9", Change::Patch),
        ("1.0.9", "1.0.9-rc.1", Change::Rebuilt),
    ] {
        assert_eq!(version(new).change_from(&version(old)), change, "{new} {old}");
    }
}

/// One line to a person, but several by our rule that the first two numbers are equal. A person knows
/// that Plex has one line; nothing in the tags tells it from nginx's 1.30 and 1.31.
const SEVERAL: [&str; 2] = ["linuxserver/plex", "plexinc/pms-docker"];

#[test]
fn real_tags_fold_as_people_expect() {
    let mut repositories = BTreeMap::<&str, Vec<(&str, &str, &str)>>::new();
    let text = include_str!("../../../tests/fixtures/versions.tsv");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let [repository, tag, line, order, _] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        repositories.entry(repository).or_default().push((tag, line, order));
    }
    let (mut tags, mut folded) = (0, 0);
    for (repository, known) in &repositories {
        tags += known.len();
        for (newer, newer_line, newer_order) in known {
            for (older, older_line, older_order) in known {
                let orders = [newer_order, older_order].map(|order| order.parse::<u8>().ok());
                let [Some(high), Some(low)] = orders else {
                    // One is a pre-release: none of these has the number of a release beside it.
                    assert!(!supersedes(newer, older), "{repository} {newer} {older}");
                    continue;
                };
                let is_expected = newer_line == older_line && *newer_line != "-" && high > low;
                if is_expected && SEVERAL.contains(repository) {
                    continue;
                }
                assert_eq!(supersedes(newer, older), is_expected, "{repository} {newer} {older}");
                folded += usize::from(is_expected);
            }
        }
    }
    assert_eq!((tags, folded), (154, 29));
}
