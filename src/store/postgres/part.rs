//! Which rows an operation loads.

use super::value::Value;
use crate::inbox::fold::Line;

/// Which rows of a table to load.
pub(super) struct Part {
    pub(super) table: &'static str,
    pub(super) condition: String,
    pub(super) values: Vec<Value>,
    /// Whether metadata is read too. Changes do not need it.
    pub(super) has_metadata: bool,
}

impl Part {
    /// The same, with the metadata.
    pub(super) fn with_metadata(self) -> Self {
        Self { has_metadata: true, ..self }
    }
}

/// The rows for which a condition is true. `t` is the table.
pub(super) fn part(table: &'static str, condition: &str, values: Vec<Value>) -> Part {
    Part { table, condition: condition.to_owned(), values, has_metadata: false }
}

/// All rows.
pub(super) fn whole(table: &'static str) -> Part {
    part(table, "true", Vec::new())
}

/// A host.
pub(super) fn of_host(host: &str) -> Part {
    part("hosts", "t.name = $1", vec![host.into()])
}

/// The rows of some images.
pub(super) fn of_images(table: &'static str, images: &[String]) -> Part {
    part(table, "t.image = ANY($1)", vec![images.iter().map(String::as_str).collect()])
}

/// The updates of some lines that are neither acknowledged nor ignored, and their places.
pub(super) fn of_lines(lines: &[Line]) -> [Part; 2] {
    let member =
        "EXISTS (SELECT 1 FROM unnest($1::text[], $2::text[], $3::text[]) l (series, low, high)
        WHERE u.series = l.series AND u.rank >= l.low AND u.rank < l.high)
        AND u.acknowledged_at IS NULL AND u.ignored = 0";
    let values = || {
        let column = |of: fn(&Line) -> &str| lines.iter().map(of).collect::<Value>();
        vec![column(|line| &line.series), column(|line| &line.from), column(|line| &line.to)]
    };
    let images = format!("t.image IN (SELECT u.image FROM updates u WHERE {member})");
    [part("updates", &images, values()), part("places", &images, values())]
}
