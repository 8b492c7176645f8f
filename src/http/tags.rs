//! `/api/tags`: the user's labels.

use serde::Deserialize;

use super::error::Error;
use super::response::{Answer, empty, json};
use super::route::Request;
use crate::store::Store;

#[derive(Deserialize)]
struct Body {
    name: String,
}

/// The tags, ordered by name.
pub(super) fn list(request: &Request<'_>, store: &dyn Store) -> Answer {
    request.no_parameters()?;
    Ok(json(200, &store.list_tags()?))
}

/// Creates a tag from `{"name": …}`.
pub(super) fn create(request: &Request<'_>, store: &dyn Store) -> Answer {
    let body: Body = request.json("{\"name\": …}")?;
    Ok(json(201, &store.create_tag(&body.name)?))
}

/// Renames a tag: `{"name": …}`.
pub(super) fn rename(request: &Request<'_>, store: &dyn Store) -> Answer {
    let body: Body = request.json("{\"name\": …}")?;
    let found = store.rename_tag(id(request)?, &body.name)?;
    if found { Ok(empty(204)) } else { Err(unknown(request)) }
}

/// Deletes a tag.
pub(super) fn delete(request: &Request<'_>, store: &dyn Store) -> Answer {
    let found = store.delete_tag(id(request)?)?;
    if found { Ok(empty(204)) } else { Err(unknown(request)) }
}

fn id(request: &Request<'_>) -> Result<i64, Error> {
    request.rest.parse().map_err(|_| unknown(request))
}

fn unknown(request: &Request<'_>) -> Error {
    let id = request.rest.escape_debug();
    Error::new(404, format_args!("there is no tag with the id {id}"))
}
