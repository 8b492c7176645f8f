//! `/api/tag-assignments`: which image carries which tag.

use serde::Deserialize;

use super::message::{Request, Response};
use super::route::Context;

/// Puts a tag on an image: `{"image": …, "tag_id": …}`.
pub(super) fn assign(request: &Request<'_>, context: &Context) -> Result<Response, Response> {
    #[derive(Deserialize)]
    struct Body {
        image: String,
        tag_id: i64,
    }
    let body: Body = request.json("{\"image\": …, \"tag_id\": …}")?;
    context.store.assign_tag(named(&body.image)?, body.tag_id)?;
    Ok(Response::empty(204))
}

/// Takes the tag off an image: `{"image": …}`.
pub(super) fn unassign(request: &Request<'_>, context: &Context) -> Result<Response, Response> {
    #[derive(Deserialize)]
    struct Body {
        image: String,
    }
    let body: Body = request.json("{\"image\": …}")?;
    context.store.unassign_tag(named(&body.image)?)?;
    Ok(Response::empty(204))
}

fn named(image: &str) -> Result<&str, Response> {
    if image.is_empty() { Err(Response::error(400, "`image` is empty")) } else { Ok(image) }
}
