//! `/openapi.json`: the description of every route, from the route table.

pub(super) mod doc;

use std::sync::Arc;

use serde_json::{Map, Value, json};

use self::doc::{Doc, Kind, Parameter};
use super::context::Context;
use super::response::{Answer, cached};
use super::route::Request;
use super::routes::{PAGE, ROUTES, Route};

/// The shapes of bodies.
const SCHEMAS: &str = include_str!("openapi/schemas.json");

/// The description.
pub(super) fn get(request: &Request<'_>, _: &Arc<Context>) -> Answer {
    request.no_parameters()?;
    Ok(cached(request.head, "application/json", description().into_bytes()))
}

/// The description of the API, as JSON.
pub fn description() -> String {
    let mut paths = Map::new();
    for route in ROUTES {
        let path = if route.path == PAGE { "/" } else { route.path };
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[route.method.as_str().to_ascii_lowercase()] = operation(route);
    }
    // The file is part of the program, and a test reads it.
    let schemas: Value = serde_json::from_str(SCHEMAS).unwrap_or_default();
    let description = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "diunbox",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "An inbox for container-image updates.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "./"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic", "description": "The token is the password."},
            },
        },
    });
    format!("{description:#}\n")
}

fn operation(route: &Route) -> Value {
    let Doc { about, parameters, body, needs_body, answers } = &route.doc;
    let mut all: Vec<Value> =
        parameters.iter().flat_map(|some| some.iter()).map(in_query).collect();
    if let Some((_, name)) = route.path.split_once('{') {
        let name = name.trim_end_matches('}');
        all.push(
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
        );
    }
    let mut responses = Map::new();
    for (status, content) in *answers {
        let mut answer = json!({"description": reason(*status)});
        match *content {
            "" => {}
            media if media.contains('/') => answer["content"] = json!({media: {}}),
            schema => answer["content"] = in_json(schema),
        }
        responses.insert(status.to_string(), answer);
    }
    let mut common = vec![400, 403, 413, 503];
    if route.scope().is_some() {
        common.push(401);
    }
    for status in common {
        let answer = || json!({"description": reason(status), "content": in_json("Error")});
        responses.entry(status.to_string()).or_insert_with(answer);
    }
    let mut operation = json!({"summary": about, "parameters": all, "responses": responses});
    if let Some(schema) = body {
        let content = match *schema {
            "Login" => json!({"application/x-www-form-urlencoded": {"schema": reference(schema)}}),
            "Text" => json!({"text/plain": {"schema": reference(schema)}}),
            schema => in_json(schema),
        };
        operation["requestBody"] = json!({"required": needs_body, "content": content});
    }
    if route.scope().is_some() {
        operation["security"] = json!([{}, {"token": []}, {"basic": []}]);
    }
    operation
}

fn in_json(schema: &str) -> Value {
    json!({"application/json": {"schema": reference(schema)}})
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn in_query(parameter: &Parameter) -> Value {
    let schema = match &parameter.kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Texts => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Number { least, most } => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Kind::OneOf(values) => json!({"type": "string", "enum": values}),
        Kind::SomeOf(values) => {
            json!({"type": "array", "items": {"type": "string", "enum": values}})
        }
    };
    json!({"name": parameter.name, "in": "query", "description": parameter.about, "schema": schema})
}

fn reason(status: u16) -> &'static str {
    match status {
        200 | 204 => "Done",
        201 => "Created",
        303 => "Redirect",
        304 => "Not modified",
        400 => "Invalid request; the error says why",
        401 => "A token is needed",
        403 => "Forbidden: the request comes from another site, or the token lacks the scope",
        404 => "Not found",
        405 => "Method not allowed",
        409 => "Conflict with the current state",
        412 => "The digest has changed",
        413 => "The body is too large",
        _ => "Temporarily unavailable; `Retry-After` is set if a retry can help",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_schema_exists() {
        let description: Value = serde_json::from_str(&description()).unwrap();
        let schemas = description["components"]["schemas"].as_object().unwrap();
        let text = description.to_string();
        let named = text.split("#/components/schemas/").skip(1);
        let named: Vec<&str> = named.map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(named.len() > 50);
        for name in &named {
            assert!(schemas.contains_key(*name), "{name}");
        }
        for name in schemas.keys() {
            assert!(named.contains(&name.as_str()), "{name} is not used");
        }
    }

    #[test]
    fn every_route_says_how_it_is_answered() {
        for route in ROUTES {
            assert!(!route.doc.about.is_empty() && !route.doc.answers.is_empty(), "{}", route.path);
        }
    }
}
