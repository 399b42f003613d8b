//! Whether a value fits a schema: the part of JSON Schema that the description of the API uses.

use serde_json::Value;

pub(super) fn resolved<'a>(api: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(reference) => api.pointer(reference.trim_start_matches('#')).expect(reference),
        None => value,
    }
}

/// A member that is not described does not fit.
pub(super) fn fits(api: &Value, schema: &Value, value: &Value) -> Result<(), String> {
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
