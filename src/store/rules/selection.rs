//! Converts a query to SQL conditions, order and limit.

use rusqlite::types::Value;

use crate::inbox::query::{Query, Sort, Wanted};
use crate::inbox::update::State;

/// The condition of each state. SQLite uses a partial index only if the query has the text of its condition. `?1`
/// is the time.
pub(in crate::store) fn condition(state: State) -> &'static str {
    match state {
        State::Pending => {
            "acknowledged_at IS NULL AND ignored = 0
            AND (superseded_from IS NULL OR superseded_from > 0)
            AND (superseded_from IS NULL OR superseded_from > ?1)
            AND (snoozed_until IS NULL OR snoozed_until <= ?1)"
        }
        State::Snoozed => {
            "acknowledged_at IS NULL AND ignored = 0
            AND (superseded_from IS NULL OR superseded_from > 0)
            AND (superseded_from IS NULL OR superseded_from > ?1)
            AND snoozed_until > ?1"
        }
        State::Superseded => {
            "acknowledged_at IS NULL AND ignored = 0 AND superseded_from IS NOT NULL
            AND superseded_from <= ?1"
        }
        State::Acknowledged => "acknowledged_at IS NOT NULL AND ignored = 0",
        State::Ignored => "ignored <> 0",
    }
}

/// The condition of a needed place. `query::read_places` has the same rule for places that were read.
pub(in crate::store) const NEEDED: &str =
    "u.acknowledged_at IS NULL AND p.done_digest IS DISTINCT FROM u.digest
    AND p.done_by IS DISTINCT FROM 'gone'
    AND (p.workload <> '' OR NOT EXISTS (
        SELECT 1 FROM places q WHERE q.image = u.image AND q.workload <> ''))";

/// The tag of an update, for a subquery.
pub(in crate::store) const TAG: &str =
    "FROM tag_assignments a JOIN tags t ON t.id = a.tag_id WHERE a.image = u.image";

/// The engine whose SQL is generated. PostgreSQL's statement may find more than the query selects: conditions that
/// it cannot evaluate as SQLite does are always true, and there is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Dialect {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// The part of a statement that follows its columns, and its values.
pub(in crate::store) struct Selection {
    pub(in crate::store) sql: String,
    pub(in crate::store) values: Vec<Value>,
    dialect: Dialect,
    /// Whether the statement finds exactly what the query selects.
    is_exact: bool,
}

impl Selection {
    /// The query's conditions, order and limit.
    pub(in crate::store) fn new(query: &Query, dialect: Dialect) -> Self {
        let values = vec![Value::Integer(query.now.timestamp_millis())];
        let sql = "FROM updates u WHERE ?1 = ?1".into();
        let mut selection = Self { sql, values, dialect, is_exact: true };
        selection.filter(query);
        selection.order(query);
        if let Some(limit) = query.limit.filter(|_| selection.is_exact) {
            let limit = selection.bind(i64::try_from(limit).unwrap_or(i64::MAX));
            selection.sql.extend([" LIMIT ", &limit]);
        }
        selection
    }

    /// Binds a value. Returns its place in the statement.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        self.sql += " AND (";
        self.sql += condition;
        self.sql.push(')');
    }

    /// Adds the condition that an expression is one of these values. Adds nothing if there are none.
    fn one_of(&mut self, column: &str, values: &[String]) -> Option<String> {
        let values: Vec<String> = values.iter().map(|value| self.bind(value.clone())).collect();
        (!values.is_empty()).then(|| format!("{column} IN ({})", values.join(", ")))
    }

    fn filter(&mut self, query: &Query) {
        if !query.states.is_empty() && !State::ALL.iter().all(|state| query.states.contains(state))
        {
            let states: Vec<&str> = query.states.iter().copied().map(condition).collect();
            self.and(&format!("({})", states.join(") OR (")));
        }
        self.images(&query.images);
        if let Some(statuses) = self.one_of("u.status", &query.statuses) {
            self.and(&statuses);
        }
        let tag = format!("(SELECT t.name {TAG})");
        if let Some(tags) = self.one_of(&tag, &query.tags) {
            self.and(&tags);
        }
        if query.untagged {
            self.and("NOT EXISTS (SELECT 1 FROM tag_assignments a WHERE a.image = u.image)");
        }
        if let Some(since) = query.since {
            let since = self.bind(since.timestamp_millis());
            self.and(&format!("u.since >= {since}"));
        }
        if let Some(before) = query.before {
            let before = self.bind(before.timestamp_millis());
            self.and(&format!("u.since < {before}"));
        }
        if let Some(after) = query.changed_after {
            let after = self.bind(after);
            self.and(&format!("u.changed > {after}"));
        }
        if let Some((after, until)) = query.snooze_ended {
            let after = self.bind(after.timestamp_millis());
            let until = self.bind(until.timestamp_millis());
            self.and(&format!("u.snoozed_until > {after} AND u.snoozed_until <= {until}"));
        }
        let hosts = self.one_of("p.hostname", &query.hosts);
        let providers = self.one_of("p.provider", &query.providers);
        if hosts.is_some() || providers.is_some() {
            let needed = query.is_pending_only().then(|| NEEDED.to_owned());
            let place: Vec<String> = [needed, hosts, providers].into_iter().flatten().collect();
            let place = place.join(" AND ");
            self.and(&format!(
                "EXISTS (SELECT 1 FROM places p WHERE p.image = u.image AND {place})"
            ));
        }
        if let Some(search) = &query.search {
            let text = self.bind(search.to_lowercase());
            let contains = |value: &str| self.contains(value, &text);
            let place = format!("{} OR {}", contains("p.hostname"), contains("p.workload"));
            let image = contains("u.image");
            let tag = contains(&tag);
            self.and(&format!(
                "{image} OR {tag} OR EXISTS (SELECT 1 FROM places p WHERE p.image = u.image AND ({place}))"
            ));
        }
    }

    fn images(&mut self, images: &[Wanted]) {
        let names = images.iter().filter_map(|wanted| match wanted {
            Wanted::Exact(name, _) => Some(name.as_str().to_owned()),
            Wanted::Pattern(_) => None,
        });
        let mut any = Vec::new();
        // One JSON array for all names: SQLite limits the number of parameters.
        let names: Vec<String> = names.collect();
        if let [name] = names.as_slice() {
            let name = self.bind(name.clone());
            any.push(format!("u.image = {name}"));
        } else if !names.is_empty() {
            let names = self.bind(serde_json::to_string(&names).unwrap_or_default());
            any.push(format!("u.image IN ({})", self.elements(&names)));
        }
        for wanted in images {
            if let (Wanted::Pattern(_), false) = (wanted, self.dialect == Dialect::Sqlite) {
                any.push("true".into());
                self.is_exact = false;
            } else if let Wanted::Pattern(pattern) = wanted {
                let pattern = self.bind(pattern.as_str().to_owned());
                any.push(format!("matches({pattern}, u.image)"));
            }
        }
        if !any.is_empty() {
            self.and(&any.join(" OR "));
        }
    }

    fn order(&mut self, query: &Query) {
        let (up, down) = if query.reverse { ("DESC", "ASC") } else { ("ASC", "DESC") };
        let name = self.bytewise("u.image");
        if let Some(after) = &query.after {
            let since = self.bind(after.since);
            let image = self.bind(after.image.clone());
            let (more, less) = if query.reverse { (">", "<") } else { ("<", ">") };
            match query.sort {
                Sort::Image => self.and(&format!("{name} {less} {image}")),
                _ => self.and(&format!(
                    "u.since {more}= {since} AND (u.since {more} {since} OR {name} > {image})"
                )),
            }
        }
        // Updates without the value that is sorted by come last.
        let key = match query.sort {
            Sort::Since => format!("u.since {down}"),
            Sort::Received => format!("u.received {down}"),
            Sort::Created if self.dialect == Dialect::Sqlite => {
                format!("julianday(nullif(u.created, '')) {down} NULLS LAST")
            }
            Sort::Created => {
                self.is_exact = false;
                "u.since".into()
            }
            Sort::Image => format!("{name} {up}"),
            Sort::Changed => format!("u.changed {up}"),
            Sort::Tag => format!("(SELECT {} {TAG}) {up} NULLS LAST", self.bytewise("t.name")),
            Sort::Host => format!(
                "(SELECT min({}) FROM places p WHERE p.image = u.image) {up} NULLS LAST",
                self.bytewise("p.hostname")
            ),
        };
        self.sql.extend([" ORDER BY ", &key]);
        if query.sort != Sort::Image {
            self.sql.extend([", ", &name]);
        }
    }

    /// An expression that is compared by its bytes.
    fn bytewise(&self, column: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => column.to_owned(),
            #[cfg(feature = "postgres")]
            Dialect::Postgres => format!("{column} COLLATE \"C\""),
        }
    }

    /// Whether a value contains a text, in upper or lower case.
    fn contains(&self, value: &str, text: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("instr(lower({value}), {text}) > 0"),
            #[cfg(feature = "postgres")]
            Dialect::Postgres => format!("strpos(lower({value} COLLATE \"C\"), {text}) > 0"),
        }
    }

    /// The elements of a JSON array.
    fn elements(&self, json: &str) -> String {
        match self.dialect {
            Dialect::Sqlite => format!("SELECT value FROM json_each({json})"),
            #[cfg(feature = "postgres")]
            Dialect::Postgres => format!("SELECT json_array_elements_text({json}::json)"),
        }
    }
}
