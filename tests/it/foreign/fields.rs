//! Call sites made at run time: `tracing`'s macros take only names that stand in the source.

use crate::layer::{record, told};
use std::sync::OnceLock;
use tracing::{
    Callsite, Level, Metadata, Span,
    field::{FieldSet, Value},
    metadata::Kind,
    subscriber::Interest,
};

/// A call site with these fields. It lives as long as the program, as call sites do.
pub(super) struct Site {
    callsite: &'static Made,
    values: Vec<String>,
}

struct Made(OnceLock<Metadata<'static>>);

impl Callsite for Made {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        self.0.get().expect("made whole")
    }
}

impl Site {
    pub(super) fn new(target: &'static str, name: &'static str, fields: &[(&str, &str)]) -> Self {
        let names: Vec<&'static str> = fields.iter().map(|(name, _)| &*name.to_string().leak()).collect();
        let callsite: &'static Made = Box::leak(Box::new(Made(OnceLock::new())));
        let set = FieldSet::new(names.leak(), tracing::callsite::Identifier(callsite));
        let metadata = Metadata::new(name, target, Level::INFO, None, None, None, set, Kind::SPAN);
        assert!(callsite.0.set(metadata).is_ok());
        Self { callsite, values: fields.iter().map(|(_, value)| (*value).to_owned()).collect() }
    }

    fn open(&self) -> Span {
        let metadata = self.callsite.0.get().expect("made whole");
        let values: Vec<Option<&dyn Value>> = self.values.iter().map(|value| Some(value as &dyn Value)).collect();
        Span::new(metadata, &metadata.fields().value_set_all(&values))
    }
}

/// What is told of one span, opened and closed, with the execution's id if the span chose it.
pub(super) fn play(site: &Site) -> String {
    let events = record(|| drop(site.open()));
    let id = events.first().and_then(|event| event.execution_id.as_ref()).map(ToString::to_string);
    let chosen = id.filter(|id| !id.starts_with("exec_")).unwrap_or_default();
    format!("{chosen}{}", told(&events))
}
