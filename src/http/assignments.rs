//! `/api/tag-assignments`: assigns tags to images.

use serde::Deserialize;

use super::error::Error;
use super::response::{Answer, empty};
use super::route::Request;
use crate::image::ImageName;
use crate::store::Store;

/// Puts a tag on an image: `{"image": …, "tag_id": …}`.
pub(super) fn assign(request: &Request<'_>, store: &dyn Store) -> Answer {
    #[derive(Deserialize)]
    struct Body {
        image: String,
        tag_id: i64,
    }
    let body: Body = request.json("{\"image\": …, \"tag_id\": …}")?;
    store.put_tag(&[named(&body.image)?], Some(body.tag_id), &request.caller.stamp(None))?;
    Ok(empty(204))
}

/// Takes the tag off an image: `{"image": …}`.
pub(super) fn unassign(request: &Request<'_>, store: &dyn Store) -> Answer {
    #[derive(Deserialize)]
    struct Body {
        image: String,
    }
    let body: Body = request.json("{\"image\": …}")?;
    store.put_tag(&[named(&body.image)?], None, &request.caller.stamp(None))?;
    Ok(empty(204))
}

fn named(image: &str) -> Result<ImageName, Error> {
    ImageName::new(image).map_err(|error| Error::new(400, format_args!("`image`: {error}")))
}
