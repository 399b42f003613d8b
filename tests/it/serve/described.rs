//! The description of the API against what the server does.

use super::{SOON, served};
use crate::{
    http::{get, send},
    serve::snapshots::a_run,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// `GET /openapi.json` of a server.
pub(crate) fn description() -> Value {
    let (_recorder, server, _emitter) = served(100);
    get(server.addr(), "/openapi.json").json()
}

#[test]
fn what_is_described_is_what_the_router_takes() {
    let (_recorder, server, _emitter) = served(100);
    let api = get(server.addr(), "/openapi.json").json();
    for (path, methods) in api["paths"].as_object().expect("paths") {
        // What the router itself says that it takes there.
        let uri = path.replace("{id}", "x").replace("{permission_id}", "y");
        let put = format!("PUT {uri} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n", server.addr());
        let reply = send(server.addr(), &put);
        assert_eq!(reply.status, 405, "{path}");
        let allowed = reply.header("allow").expect("allow").to_lowercase().replace(' ', "");
        let allowed: BTreeSet<_> = allowed.split(',').filter(|method| *method != "head").map(str::to_owned).collect();
        assert_eq!(allowed, methods.as_object().expect("methods").keys().cloned().collect(), "{path}");
    }
    let ids: Vec<_> = operations(&api).map(|(_, operation)| operation["operationId"].to_string()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
}

#[test]
fn every_described_request_answers_as_described() {
    let (recorder, server, emitter) = served(1_000);
    a_run(&emitter, "s1");
    recorder.flush().wait(SOON).expect("flush");
    let api = get(server.addr(), "/openapi.json").json();
    for (path, operation) in operations(&api) {
        let id = if path.starts_with("/sessions") { "s1".to_owned() } else { emitter.execution_id().to_string() };
        let good = path.replace("{id}", &id);
        let mut requests = vec![good.clone(), path.replace("{id}", "nobody")];
        for parameter in operation["parameters"].as_array().expect("parameters") {
            let name = parameter["name"].as_str().expect("name");
            if parameter["in"] == "query" {
                let values = examples(&parameter["schema"]);
                requests.extend(values.into_iter().map(|value| format!("{good}?{name}={value}")));
            }
        }
        for request in requests {
            answers_as_described(&api, operation, server.addr(), &request);
        }
    }
}

/// Values that fit and values that do not.
fn examples(schema: &Value) -> Vec<String> {
    let words = schema["enum"].as_array().into_iter().flatten().map(|word| word.as_str().expect("word").to_owned());
    let others = ["1", "0", "data-step-start,text-end", "0123456789abcdef-7", "nonsense", "", "%00"];
    words.chain(others.map(str::to_owned)).collect()
}

fn operations(api: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let paths = api["paths"].as_object().expect("paths").iter();
    paths.filter_map(|(path, methods)| Some((path.as_str(), methods.get("get")?)))
}

fn answers_as_described(api: &Value, operation: &Value, addr: std::net::SocketAddr, request: &str) {
    let reply = get(addr, request);
    let described = &operation["responses"][reply.status.to_string()];
    assert!(!described.is_null(), "{request}: {} is not described", reply.status);
    let described = resolved(api, described);
    let media = reply.header("content-type").map(str::to_owned);
    let Some(media) = media else { return assert!(described["content"].is_null(), "{request}: nothing to read") };
    let schema = &described["content"][&media]["schema"];
    assert!(!schema.is_null(), "{request}: {media} is not described");
    if media == "application/json" {
        let body = reply.json();
        if let Err(why) = fits(api, schema, &body) {
            panic!("{request}: {why}\n{body:#}");
        }
    }
}

fn resolved<'a>(api: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => api.pointer(reference.trim_start_matches('#')).expect(reference),
        None => value,
    }
}

/// Whether a value fits a schema: the part of JSON Schema that the description uses. A member that is not described does
/// not fit.
fn fits(api: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if schema.is_boolean() || schema.as_object().is_some_and(serde_json::Map::is_empty) {
        return Ok(());
    }
    let whole = schema;
    if schema["$ref"].is_string() {
        return fits(api, resolved(api, schema), value);
    }
    for all in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[all].as_array() {
            let tries: Vec<_> = choices.iter().map(|one| fits(api, &joined(whole, one), value)).collect();
            return match tries.iter().any(Result::is_ok) {
                true => Ok(()),
                false => Err(format!("fits none: {tries:?}")),
            };
        }
    }
    if !types(schema).is_empty() && !types(schema).iter().any(|name| is_of(name, value)) {
        return Err(format!("{value} is not {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    if !schema["const"].is_null() && schema["const"] != *value {
        return Err(format!("{value} is not {}", schema["const"]));
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        return values.iter().try_for_each(|one| fits(api, items, one));
    }
    members_fit(api, schema, value)
}

/// A choice beside the members that stand around it.
fn joined(whole: &Value, choice: &Value) -> Value {
    let mut choice = choice.clone();
    if let (Some(members), Some(own)) = (whole["properties"].as_object(), choice.as_object_mut()) {
        let all = own.entry("properties").or_insert_with(|| Value::Object(serde_json::Map::new()));
        members.iter().for_each(|(name, member)| all[name] = member.clone());
    }
    choice
}

fn members_fit(api: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let (Some(members), Some(properties)) = (value.as_object(), schema["properties"].as_object()) else {
        return Ok(());
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        members.get(name.as_str().expect("name")).ok_or_else(|| format!("{name} is missing"))?;
    }
    members.iter().try_for_each(|(name, member)| {
        let property = properties.get(name).ok_or_else(|| format!("{name} is not described"))?;
        fits(api, property, member).map_err(|why| format!("{name}: {why}"))
    })
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn is_of(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => value.is_null(),
    }
}
