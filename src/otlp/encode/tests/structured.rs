//! JSON as structured values, read back by `opentelemetry-proto`.

use super::super::{Envelope, Form, Item, fields::log_record, fields::of_scope, structured};
use crate::otlp::{settings::Encoding, transport::Signal};
use opentelemetry_proto::tonic::{
    collector::logs::v1::ExportLogsServiceRequest,
    common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as Any},
};
use proptest::{collection::vec, prelude::*};
use prost::Message;
use serde_json::{Value as Tree, json};

/// A log record with one attribute.
struct One<'a>(&'a str);

impl Item for One<'_> {
    fn write(&self, form: &mut impl Form) {
        let open = form.begin(of_scope::LOGS, 300);
        structured::attribute(form, log_record::ATTRIBUTES, "key", self.0);
        form.close(open);
    }
}

fn request(encoding: Encoding, json: &str) -> Vec<u8> {
    let mut envelope = Envelope::new(encoding, Signal::Logs, &[]);
    let (mut item, mut out) = (Vec::new(), Vec::new());
    envelope.encode(&One(json), &mut item);
    envelope.wrap(&[&item], &mut out);
    out
}

/// The value, as receivers of protobuf and of JSON read it: both the same.
fn value(json: &str) -> Option<Any> {
    let bytes = request(Encoding::Protobuf, json);
    let read = ExportLogsServiceRequest::decode(bytes.as_slice()).expect("protobuf");
    assert!(read.encode_to_vec() == bytes, "not as prost writes it");
    let text = request(Encoding::Json, json);
    assert_eq!(serde_json::from_slice::<ExportLogsServiceRequest>(&text).expect("OTLP JSON"), read);
    let record = &read.resource_logs[0].scope_logs[0].log_records[0];
    assert_eq!(record.attributes.len(), 1);
    record.attributes[0].value.clone().expect("AnyValue").value
}

fn text(text: &str) -> Option<Any> {
    Some(Any::StringValue(text.to_owned()))
}

fn expected(tree: &Tree) -> AnyValue {
    let value = match tree {
        Tree::Null => None,
        Tree::Bool(value) => Some(Any::BoolValue(*value)),
        Tree::String(value) => text(value),
        Tree::Number(number) => match number.as_i64() {
            Some(whole) => Some(Any::IntValue(whole)),
            None => number.as_f64().map(Any::DoubleValue),
        },
        Tree::Array(list) => Some(Any::ArrayValue(ArrayValue { values: list.iter().map(expected).collect() })),
        Tree::Object(fields) => {
            let entry = |(key, value): (&String, &Tree)| KeyValue {
                key: key.clone(),
                value: Some(expected(value)),
                ..Default::default()
            };
            Some(Any::KvlistValue(KeyValueList { values: fields.iter().map(entry).collect() }))
        }
    };
    AnyValue { value }
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::from),
        any::<i64>().prop_map(Tree::from),
        any::<u64>().prop_map(Tree::from),
        any::<f64>().prop_map(Tree::from),
        "\\PC{0,60}".prop_map(Tree::from),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        let fields = vec(("[a-z\"\\\\]{1,9}", inner.clone()), 0..5);
        prop_oneof![
            vec(inner, 0..5).prop_map(Tree::from),
            fields.prop_map(|fields| Tree::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn any_json_is_the_same_structure_in_both_forms(tree in tree()) {
        prop_assert_eq!(value(&tree.to_string()), expected(&tree).value);
    }

    #[test]
    fn what_is_no_json_is_a_text_whole(tree in tree(), end in any::<prop::sample::Index>()) {
        let whole = json!([tree, {"a": 1}]).to_string();
        let mut cut = end.index(whole.len());
        while !whole.is_char_boundary(cut) {
            cut -= 1;
        }
        prop_assert_eq!(value(&whole[..cut]), text(&whole[..cut]));
    }
}

#[test]
fn what_cannot_be_said_leaves_the_whole_a_text() {
    for json in [r#"{"a":[1,1e999]}"#, r#"{"a":1,"":2}"#, r#"["fine","\ud800"]"#, r#"{"a":1} {}"#, ""] {
        assert_eq!(value(json), text(json), "{json}");
    }
}

/// Receivers take a hundred messages in each other; what is deeper would have the whole request refused.
#[test]
fn structures_of_any_depth_are_read_by_receivers() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = format!("{}1{}", open.repeat(64), close.repeat(64));
        assert!(value(&deep).is_some());
    }
    let deep = format!("{}1{}", "[".repeat(30), "]".repeat(30));
    let mut inner = value(&deep);
    while let Some(Any::ArrayValue(array)) = inner {
        inner = array.values[0].value.clone();
    }
    assert_eq!(inner, text("[[[[[1]]]]]"));
}
