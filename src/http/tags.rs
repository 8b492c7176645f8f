//! `/api/tags`: the user's labels.

use serde::Deserialize;

use super::error::Error;
use super::response::{Answer, empty, json};
use super::route::Request;
use crate::store::Store;

/// The tags, ordered by name.
pub(super) fn list(request: &Request<'_>, store: &dyn Store) -> Answer {
    request.no_parameters()?;
    Ok(json(200, &store.list_tags()?))
}

/// Creates a tag from `{"name": …}`.
pub(super) fn create(request: &Request<'_>, store: &dyn Store) -> Answer {
    #[derive(Deserialize)]
    struct Body {
        name: String,
    }
    let body: Body = request.json("{\"name\": …}")?;
    Ok(json(201, &store.create_tag(&body.name)?))
}

/// Deletes a tag.
pub(super) fn delete(request: &Request<'_>, store: &dyn Store) -> Answer {
    let id = request.rest;
    let unknown = || Error::new(404, format_args!("there is no tag with the id {id}"));
    let found = store.delete_tag(id.parse().map_err(|_| unknown())?)?;
    if found { Ok(empty(204)) } else { Err(unknown()) }
}
