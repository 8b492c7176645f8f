//! `/api/tags`: the user's labels.

use serde::Deserialize;

use super::message::{Request, Response};
use super::route::Context;

/// The tags, ordered by name.
pub(super) fn list(context: &Context) -> Result<Response, Response> {
    Ok(Response::json(200, &context.store.list_tags()?))
}

/// Makes a tag of `{"name": …}`.
pub(super) fn create(request: &Request<'_>, context: &Context) -> Result<Response, Response> {
    #[derive(Deserialize)]
    struct Body {
        name: String,
    }
    let body: Body = request.json("{\"name\": …}")?;
    Ok(Response::json(201, &context.store.create_tag(&body.name)?))
}

/// Deletes a tag.
pub(super) fn delete(id: &str, context: &Context) -> Result<Response, Response> {
    let unknown = || Response::not_found(format_args!("there is no tag with the id {id}"));
    let found = context.store.delete_tag(id.parse().map_err(|_| unknown())?)?;
    if found { Ok(Response::empty(204)) } else { Err(unknown()) }
}
