//! OTLP's JSON, as much of it as spans need ("OTLP/JSON": ids in hex, 64-bit numbers as texts; receivers "MUST ignore message
//! fields with unknown names").

use crate::layer::FieldValue;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
use serde_json::{Value as Tree, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    resource_spans: Option<Vec<ResourceSpans>>,
    resource_metrics: Option<IgnoredAny>,
    resource_logs: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans {
    #[serde(default, deserialize_with = "or_default")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Deserialize)]
struct ScopeSpans {
    #[serde(default, deserialize_with = "or_default")]
    scope: Scope,
    #[serde(default, deserialize_with = "or_default")]
    spans: Vec<Span>,
}

#[derive(Default, Deserialize)]
struct Scope {
    #[serde(default, deserialize_with = "or_default")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    pub(super) trace_id: String,
    pub(super) span_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) parent_span_id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) start_time_unix_nano: Number,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) end_time_unix_nano: Number,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) attributes: Vec<KeyValue>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) events: Vec<Event>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) status: Status,
    /// Of the instrumentation that it is from.
    #[serde(skip)]
    pub(super) scope: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) time_unix_nano: Number,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Default, Deserialize)]
pub(super) struct Status {
    message: Option<String>,
    code: Option<Tree>,
}

#[derive(Deserialize)]
pub(super) struct KeyValue {
    pub(super) key: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) value: AnyValue,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnyValue {
    string_value: Option<String>,
    bool_value: Option<bool>,
    int_value: Option<Number>,
    double_value: Option<Number>,
    array_value: Option<Values<AnyValue>>,
    kvlist_value: Option<Values<KeyValue>>,
    bytes_value: Option<String>,
}

#[derive(Deserialize)]
struct Values<T> {
    values: Option<Vec<T>>,
}

/// "null is an accepted value for all field types and treated as the default value of the corresponding field type"
/// (ProtoJSON).
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A number, or the text of one, as it stands there.
#[derive(Debug, Clone, Default)]
pub(super) struct Number(String);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Tree::deserialize(deserializer)? {
            Tree::String(text) => text,
            other => other.to_string(),
        }))
    }
}

/// The spans of a request.
pub(super) fn read(text: &[u8]) -> Result<Vec<Span>, serde_json::Error> {
    let request: Request = serde_json::from_slice(text)?;
    if request.resource_spans.is_none() && request.resource_metrics.is_none() && request.resource_logs.is_none() {
        return Err(serde::de::Error::missing_field("resourceSpans"));
    }
    let scopes = request.resource_spans.into_iter().flatten().flat_map(|resource| resource.scope_spans);
    let spans = scopes.flat_map(|ScopeSpans { scope, spans }| {
        spans.into_iter().map(move |span| Span { scope: scope.name.clone(), ..span })
    });
    Ok(spans.collect())
}

impl Number {
    pub(super) fn nanos(&self) -> Option<i64> {
        if self.0.is_empty() { Some(0) } else { self.0.parse().ok() }
    }

    /// As `FieldValue` has numbers: what is negative is none of ours, and kept as a float.
    fn integer(&self) -> FieldValue {
        self.0.parse().map_or_else(|_| self.float(), FieldValue::Unsigned)
    }

    fn float(&self) -> FieldValue {
        FieldValue::Float(self.0.parse().unwrap_or(f64::NAN))
    }

    fn tree(&self) -> Tree {
        self.0.parse().map_or_else(|_| json!(self.0.parse::<f64>().unwrap_or(f64::NAN)), |number: i64| json!(number))
    }
}

impl Status {
    /// "Receivers … MUST accept" numbers; some write the name.
    pub(super) fn is_error(&self) -> bool {
        match &self.code {
            Some(Tree::Number(code)) => code.as_u64() == Some(2),
            Some(Tree::String(code)) => code == "STATUS_CODE_ERROR",
            _ => false,
        }
    }

    pub(super) fn description(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

impl AnyValue {
    /// As a field has it: structures are JSON texts.
    pub(super) fn field(&self) -> FieldValue {
        match self {
            Self { string_value: Some(text), .. } => FieldValue::Text(text.as_str().into()),
            Self { bool_value: Some(yes), .. } => FieldValue::Bool(*yes),
            Self { int_value: Some(number), .. } => number.integer(),
            Self { double_value: Some(number), .. } => number.float(),
            Self { bytes_value: Some(text), .. } => FieldValue::Text(text.as_str().into()),
            _ => FieldValue::Text(self.tree().to_string().into()),
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.string_value.as_deref()
    }

    pub(super) fn is_true(&self) -> bool {
        self.bool_value == Some(true)
    }

    pub(super) fn tree(&self) -> Tree {
        match self {
            Self { string_value: Some(text), .. } | Self { bytes_value: Some(text), .. } => json!(text),
            Self { bool_value: Some(yes), .. } => json!(yes),
            Self { int_value: Some(number), .. } => number.tree(),
            Self { double_value: Some(number), .. } => json!(number.0.parse::<f64>().unwrap_or(f64::NAN)),
            Self { array_value: Some(array), .. } => array.values.iter().flatten().map(Self::tree).collect(),
            Self { kvlist_value: Some(list), .. } => {
                list.values.iter().flatten().map(|pair| (pair.key.clone(), pair.value.tree())).collect()
            }
            _ => Tree::Null,
        }
    }
}
