//! The description of a route: parameters, body and responses.

/// The description of a route. Schemas are named as in `schemas.json`.
pub(in crate::http) struct Doc {
    pub(super) about: &'static str,
    pub(super) parameters: &'static [&'static [Parameter]],
    pub(super) body: Option<&'static str>,
    pub(super) needs_body: bool,
    /// Each status with the schema of its JSON, or its media type; empty without a body.
    pub(super) answers: &'static [(u16, &'static str)],
}

impl Doc {
    pub(in crate::http) const fn new(about: &'static str) -> Self {
        Self { about, parameters: &[], body: None, needs_body: false, answers: &[] }
    }

    pub(in crate::http) const fn parameters(
        self,
        parameters: &'static [&'static [Parameter]],
    ) -> Self {
        Self { parameters, ..self }
    }

    pub(in crate::http) const fn body(self, schema: &'static str) -> Self {
        Self { body: Some(schema), needs_body: true, ..self }
    }

    pub(in crate::http) const fn optional_body(self, schema: &'static str) -> Self {
        Self { body: Some(schema), ..self }
    }

    pub(in crate::http) const fn answers(self, answers: &'static [(u16, &'static str)]) -> Self {
        Self { answers, ..self }
    }
}

/// A parameter in the query.
pub(in crate::http) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
}

/// What a parameter can be.
pub(super) enum Kind {
    Text,
    /// May be given several times; one of them must fit.
    Texts,
    Flag,
    Number {
        least: i64,
        most: i64,
    },
    OneOf(&'static [&'static str]),
    /// Several of these, each a parameter of its own.
    SomeOf(&'static [&'static str]),
}

const fn parameter(name: &'static str, kind: Kind, about: &'static str) -> Parameter {
    Parameter { name, about, kind }
}

const ID: i64 = 1 << 53;

/// What selects updates.
pub(in crate::http) const FILTERS: &[Parameter] = &[
    parameter(
        "state",
        Kind::SomeOf(&["pending", "snoozed", "superseded", "acknowledged", "ignored", "all"]),
        "In one of these states",
    ),
    parameter("search", Kind::Text, "With this text in the image, the tag, a host or a workload"),
    parameter("image", Kind::Texts, "Whose image matches a pattern, such as `*/acme/*`"),
    parameter("tag", Kind::Texts, "With this tag"),
    parameter("untagged", Kind::Flag, "Without a tag"),
    parameter("host", Kind::Texts, "At a place on this host"),
    parameter("provider", Kind::Texts, "At a place that this provider found"),
    parameter("status", Kind::Texts, "With this status in the newest event: `new` or `update`"),
    parameter(
        "since",
        Kind::Text,
        "Whose digest became current at most this long ago, such as `7d`",
    ),
    parameter("before", Kind::Text, "Whose digest became current at least this long ago"),
];

/// The order of a list, and which part of it.
pub(in crate::http) const PAGES: &[Parameter] = &[
    parameter(
        "sort",
        Kind::OneOf(&["since", "image"]),
        "The order; newest first, unless it is by image",
    ),
    parameter("reverse", Kind::Flag, "The other way round"),
    parameter(
        "limit",
        Kind::Number { least: 1, most: 500 },
        "At most so many; 100 if it is not given",
    ),
    parameter("after", Kind::Text, "The `next` of the page before"),
];

/// What the page shows.
pub(in crate::http) const VIEW: &[Parameter] = &[
    parameter(
        "state",
        Kind::OneOf(&["pending", "snoozed", "superseded", "acknowledged", "ignored"]),
        "In this state",
    ),
    parameter("search", Kind::Text, "With this text"),
    parameter("host", Kind::Text, "On this host"),
    parameter("tag", Kind::Text, "With this tag"),
    parameter("by", Kind::OneOf(&["host", "repository", "tag"]), "How to group"),
    parameter("sort", Kind::OneOf(&["since", "image"]), "The order"),
];

/// Where a login leads.
pub(in crate::http) const LOGIN: &[Parameter] =
    &[parameter("next", Kind::Text, "The query of the page to go on to")];

/// Where a feed of changes begins.
pub(in crate::http) const FROM: &[Parameter] = &[parameter(
    "after",
    Kind::Number { least: 0, most: ID },
    "The `as_of` of a list: also what changed since. A `Last-Event-ID` goes before it",
)];

/// Which part of the history.
pub(in crate::http) const HISTORY: &[Parameter] = &[
    parameter("image", Kind::Text, "Of this image only"),
    parameter("before", Kind::Number { least: 0, most: ID }, "The `next` of the page before"),
    parameter(
        "limit",
        Kind::Number { least: 1, most: 500 },
        "At most so many; 50 if it is not given",
    ),
];

/// How what runs is compared.
pub(in crate::http) const RUNNING_OPTIONS: &[Parameter] = &[
    parameter(
        "host",
        Kind::Texts,
        "The host that this runs on, as events name it; `*` for every host",
    ),
    parameter("provider", Kind::Text, "Only places that this provider found"),
    parameter(
        "complete",
        Kind::Flag,
        "The body is everything that runs there: what is not in it is gone",
    ),
    parameter(
        "acknowledged",
        Kind::Flag,
        "Acknowledge at once what Diun's list tells and the inbox does not know",
    ),
    parameter("dry_run", Kind::Flag, "Change nothing"),
];
