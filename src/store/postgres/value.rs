//! Statements, and their values.

use tokio_postgres::types::{ToSql, Type};

/// An unnamed statement with its values.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Statement {
    pub(super) fn new(sql: impl Into<String>, values: Vec<Value>) -> Self {
        Self { sql: sql.into(), values }
    }

    pub(super) fn typed(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        self.values.iter().map(Value::typed).collect()
    }
}

/// Converts the parameters `?1` of SQLite to `$1` of PostgreSQL.
pub(super) fn ported(sql: &str) -> String {
    sql.replace('?', "$")
}

/// A value, or an array of the values of a column.
#[derive(Debug)]
pub(super) enum Value {
    Number(Option<i64>),
    Text(Option<String>),
    Numbers(Vec<Option<i64>>),
    Texts(Vec<Option<String>>),
}

impl Value {
    pub(super) fn typed(&self) -> (&(dyn ToSql + Sync), Type) {
        match self {
            Self::Number(value) => (value, Type::INT8),
            Self::Text(value) => (value, Type::TEXT),
            Self::Numbers(values) => (values, Type::INT8_ARRAY),
            Self::Texts(values) => (values, Type::TEXT_ARRAY),
        }
    }

    /// An empty column.
    pub(super) fn column(is_number: bool) -> Self {
        if is_number { Self::Numbers(Vec::new()) } else { Self::Texts(Vec::new()) }
    }

    /// The number of values in the array.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Number(_) | Self::Text(_) => 1,
        }
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// PostgreSQL refuses NUL in texts, so it is replaced by U+FFFD.
impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.replace('\0', "\u{fffd}")))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Text(None), Self::from)
    }
}

impl<'a> FromIterator<&'a str> for Value {
    fn from_iter<I: IntoIterator<Item = &'a str>>(texts: I) -> Self {
        let texts = texts.into_iter().map(|text| Some(text.replace('\0', "\u{fffd}")));
        Self::Texts(texts.collect())
    }
}
