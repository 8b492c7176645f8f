//! `docs/API.md` from the description at `/openapi.json`.

use std::fmt::Write;

use serde_json::Value;

const START: &str = "\
# The HTTP API

This is made from `/openapi.json`, which `diunbox serve` answers and which has every shape in full. The page uses nothing else.

- A token is sent as `Authorization: TOKEN`, `Authorization: Bearer TOKEN`, or as the password of Basic with any user name.
- Errors are `{\"error\": \"…\"}`: 400 where a request makes no sense, 401 without a token, 403 for a page of another site or a token
  of another scope, 413 for a body that is too long, 503 where it cannot be answered now (with `Retry-After` where it may be later).
- Filters that can be given several times are given as `host=a&host=b`: one of them must fit.
- Everything is below the path of `--base-path`, too. HEAD is answered as GET, without the body.
";

pub fn markdown(description: &str) -> String {
    let description: Value = serde_json::from_str(description).unwrap();
    let mut text = START.to_owned();
    let paths = description["paths"].as_object().unwrap();
    let mut sections: Vec<(&String, &String, &Value)> = Vec::new();
    for (path, methods) in paths {
        let methods = methods.as_object().unwrap();
        sections.extend(methods.iter().map(|(method, operation)| (path, method, operation)));
    }
    text += "\n| request | what it does |\n| --- | --- |\n";
    for (path, method, operation) in &sections {
        let about = operation["summary"].as_str().unwrap().replace('|', "\\|");
        let _ = writeln!(text, "| `{} {path}` | {about} |", method.to_uppercase());
    }
    for (path, method, operation) in &sections {
        let details = details(operation);
        if !details.is_empty() {
            let _ = write!(text, "\n## {} {path}\n{details}", method.to_uppercase());
        }
    }
    text += "\n## Shapes\n";
    for (name, schema) in description["components"]["schemas"].as_object().unwrap() {
        let Some(properties) = schema["properties"].as_object().filter(|all| all.len() > 1) else {
            continue;
        };
        let _ = write!(text, "\n### {name}\n\n| field | type | |\n| --- | --- | --- |\n");
        for (field, schema) in properties {
            let about = schema["description"].as_str().unwrap_or_default();
            let _ = writeln!(text, "| `{field}` | {} | {about} |", kind(schema));
        }
    }
    text
}

/// The parameters, the body and the answers of an operation that are not the same everywhere.
fn details(operation: &Value) -> String {
    let mut text = String::new();
    let parameters = operation["parameters"].as_array().unwrap();
    let query: Vec<_> = parameters.iter().filter(|parameter| parameter["in"] == "query").collect();
    if !query.is_empty() {
        text += "\n| parameter | type | |\n| --- | --- | --- |\n";
        for parameter in query {
            let (name, about) = (parameter["name"].as_str(), parameter["description"].as_str());
            let kind = kind(&parameter["schema"]);
            let _ = writeln!(text, "| `{}` | {kind} | {} |", name.unwrap(), about.unwrap());
        }
    }
    let body = operation["requestBody"]["content"].as_object().and_then(|all| all.iter().next());
    if let Some((media, body)) = body {
        let must =
            if operation["requestBody"]["required"] == true { "" } else { ", if there is one" };
        let _ = writeln!(text, "\nBody{must}: {} (`{media}`).", kind(&body["schema"]));
    }
    let mut answers = Vec::new();
    for (status, answer) in operation["responses"].as_object().unwrap() {
        let common = ["400", "401", "403", "413", "503"].contains(&status.as_str());
        let content = answer["content"].as_object().and_then(|all| all.iter().next());
        let shape = match content {
            Some((_, content)) if content["schema"].is_object() => kind(&content["schema"]),
            Some((media, _)) => format!("`{media}`"),
            None => String::new(),
        };
        if !(common && shape == "Error") {
            answers.push(format!("{status} {shape}").trim().to_owned());
        }
    }
    if !text.is_empty() || answers.len() > 1 {
        let _ = writeln!(text, "\nAnswers: {}.", answers.join(", "));
    }
    text
}

fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap().to_owned();
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> =
            values.iter().map(|value| format!("`{}`", value.as_str().unwrap())).collect();
        return values.join(", ");
    }
    if let Some(any) = schema["anyOf"].as_array() {
        return any.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            names.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}
