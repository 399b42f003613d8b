//! What fields say: the door through which whoever decides about content goes over the texts of an event.

use super::{Body, ErrorCode, ExecutionError, Unknown};
use crate::{Json, Text};

/// What a field holds. It stands beside the field in the table of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// What was said, given or found: prompts, answers, arguments, results, reasoning, state.
    Content,
    /// Text about what happened: names, reasons, errors, what the author adds.
    Remark,
    /// An id: pairs events, so it stays as it is.
    Id,
}

/// Goes over the texts of an event, and may change each.
pub(crate) trait Treatment {
    /// Whether what these fields hold is left out: optional ones are absent then, the others empty.
    fn leaves_out(&self, holds: Holds) -> bool;

    fn text(&mut self, text: &mut Text);

    fn json(&mut self, json: &mut Json);
}

/// The type of a field, as a treatment sees it. Most hold nothing to treat.
pub(super) trait Treated: Clone {
    fn treat(&mut self, treatment: &mut dyn Treatment);

    /// The same, where it would say something saying nothing.
    fn cleared(&self) -> Self {
        self.clone()
    }
}

macro_rules! nothing_to_treat {
    ($($ty:ty),+) => {$(impl Treated for $ty {
        fn treat(&mut self, _: &mut dyn Treatment) {}
    })+};
}

nothing_to_treat!(u64, f64, bool, crate::StepId);

impl Treated for Text {
    fn treat(&mut self, treatment: &mut dyn Treatment) {
        treatment.text(self);
    }

    fn cleared(&self) -> Self {
        Self::default()
    }
}

impl Treated for Vec<Text> {
    fn treat(&mut self, treatment: &mut dyn Treatment) {
        self.iter_mut().for_each(|text| treatment.text(text));
    }
}

impl Treated for Json {
    fn treat(&mut self, treatment: &mut dyn Treatment) {
        treatment.json(self);
    }

    fn cleared(&self) -> Self {
        Self::null()
    }
}

impl Treated for ExecutionError {
    fn treat(&mut self, treatment: &mut dyn Treatment) {
        treatment.text(&mut self.message);
        self.provider.iter_mut().for_each(|provider| treatment.text(provider));
        self.details.iter_mut().for_each(|details| treatment.json(details));
        self.code.iter_mut().for_each(|code: &mut ErrorCode| code.treat(treatment));
    }
}

/// Nobody knows which fields of an unknown kind hold content: where content is left out, all are.
impl Treated for Unknown {
    fn treat(&mut self, treatment: &mut dyn Treatment) {
        match treatment.leaves_out(Holds::Content) {
            true => *self = self.cleared(),
            false => treatment.json(&mut self.fields),
        }
    }

    fn cleared(&self) -> Self {
        Self { tag: self.tag.clone(), fields: Json::written(String::from("{}")) }
    }
}

/// Treats one field that is always there.
pub(super) fn required<T: Treated>(field: &mut T, holds: Holds, treatment: &mut dyn Treatment) {
    match holds {
        Holds::Id => {}
        _ if treatment.leaves_out(holds) => *field = field.cleared(),
        _ => field.treat(treatment),
    }
}

/// Treats one field that may be absent.
pub(super) fn optional<T: Treated>(field: &mut Option<T>, holds: Holds, treatment: &mut dyn Treatment) {
    let Some(value) = field else { return };
    match holds {
        Holds::Id => {}
        _ if treatment.leaves_out(holds) => *field = None,
        _ => value.treat(treatment),
    }
}

/// One field that is always there, without content.
#[cfg(feature = "otlp")]
pub(super) fn required_without<T: Treated>(field: &T, holds: Holds) -> T {
    if holds == Holds::Content { field.cleared() } else { field.clone() }
}

/// One field that may be absent, without content.
#[cfg(feature = "otlp")]
pub(super) fn optional_without<T: Treated>(field: &Option<T>, holds: Holds) -> Option<T> {
    field.as_ref().filter(|_| holds != Holds::Content).cloned()
}

impl Body {
    /// The piece that an event of class bulk carries.
    pub(crate) fn piece(&mut self) -> Option<&mut Text> {
        match self {
            Self::TextDelta(event) => Some(&mut event.delta),
            Self::ReasoningDelta(event) => Some(&mut event.delta),
            Self::ToolInputDelta(event) => Some(&mut event.input_text_delta),
            _ => None,
        }
    }
}
