//! The SQL function `matches(pattern, image)`, so that patterns match in SQL as they do elsewhere.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::image::ImagePattern;

pub(in crate::store) fn register(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function(c"matches", 2, flags, |context| {
        // Compiled once for all rows.
        let pattern = context.get_or_create_aux(0, |value| {
            ImagePattern::new(value.as_str()?)
                .map_err(Box::<dyn std::error::Error + Send + Sync>::from)
        })?;
        Ok(context.get_raw(1).as_str().is_ok_and(|image| pattern.matches(image)))
    })
}
