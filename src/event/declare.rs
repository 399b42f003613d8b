//! The machinery behind the tables in `kinds` and `values`: one declaration, everything else derived from it.

use crate::{Json, StepId, Text};

/// Bytes that a field holds outside of the event itself, for the bound on what waits in queues.
pub(super) trait HeapBytes {
    fn heap_bytes(&self) -> usize;
}

macro_rules! no_heap_bytes {
    ($($ty:ty),+) => {$(impl HeapBytes for $ty {
        fn heap_bytes(&self) -> usize {
            0
        }
    })+};
}

macro_rules! own_heap_bytes {
    ($($ty:ty),+) => {$(impl HeapBytes for $ty {
        fn heap_bytes(&self) -> usize {
            self.heap_bytes()
        }
    })+};
}

no_heap_bytes!(u64, f64, bool);
own_heap_bytes!(Text, Json, StepId, super::ExecutionError);

impl HeapBytes for Vec<Text> {
    fn heap_bytes(&self) -> usize {
        self.iter().map(|text| size_of::<Text>() + text.heap_bytes()).sum()
    }
}

/// Declares a set of words that may grow: each known one is a variant, any other is kept as it came.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$word_doc:meta])* $variant:ident = $text:literal $(| $alias:literal)*,)+
    })+) => {$(
        $(#[$doc])*
        ///
        /// A word that this version does not know is kept as it came.
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_doc])* #[doc = concat!("\n\nOn the wire: `", $text, "`.")] $variant,)+
            /// A word of another version or system.
            Other($crate::Text),
        }

        impl $name {
            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        impl $crate::event::declare::HeapBytes for $name {
            fn heap_bytes(&self) -> usize {
                if let Self::Other(text) = self { text.heap_bytes() } else { 0 }
            }
        }

        impl $crate::event::content::Treated for $name {
            fn treat(&mut self, treatment: &mut dyn $crate::event::content::Treatment) {
                if let Self::Other(text) = self {
                    treatment.text(text);
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text $(| $alias)* => Self::$variant,)+
                    other => Self::Other(other.into()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl $crate::json::WriteJson for $name {
            fn write_json(&self, out: &mut String) {
                $crate::json::write_str(self.as_str(), out);
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = $crate::Text::deserialize(deserializer)?;
                Ok(Self::from(text.as_str()))
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "anyOf": [{ "enum": [$($text),+] }, { "description": "a word of another version" }],
                })
            }
        }
    )+};
}

/// Declares the kinds of events. For each: documentation, wire tag, class, persisted type (or `not logged`), its place
/// in the life of something (`at once`, or `opens` / `continues` / `closes` a concept, told apart `by` a field where
/// the step id is not enough), how the value is held, and its fields in three lists:
/// `req` always there; `nul` optional, absent on the wire and `null` in the persisted payload (the reference's form);
/// `opt` optional, absent in both. `as content` marks what was said, given or found, `as id` what pairs events; any other
/// text is a remark about what happened.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $tag:literal, $class:ident, [$($logged:tt)+], $life:ident $(($concept:ident $(by $key:ident)?))?, $store:ident {
        $(req { $($(#[$req_doc:meta])* $req:ident: $req_ty:tt $(as $req_holds:ident)?,)+ })?
        $(nul { $($(#[$nul_doc:meta])* $nul:ident: $nul_ty:tt $(as $nul_holds:ident)?,)+ })?
        $(opt { $($(#[$opt_doc:meta])* $opt:ident: $opt_ty:tt $(as $opt_holds:ident)?,)+ })?
    })+) => {
        $(
            $(#[$doc])*
            #[doc = concat!("\n\nWire tag `", $tag, "`, class ", stringify!($class), ".")]
            #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
            #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
            #[non_exhaustive]
            pub struct $kind {
                $($($(#[$req_doc])* pub $req: $req_ty,)+)?
                $($($(#[$nul_doc])* #[serde(default)] pub $nul: Option<$nul_ty>,)+)?
                $($($(#[$opt_doc])* #[serde(default)] pub $opt: Option<$opt_ty>,)+)?
            }

            impl $kind {
                /// With what is always there; the optional rest is set by the methods of the same names.
                #[allow(clippy::new_without_default, reason = "an event that says nothing is not a default")]
                pub fn new($($($req: kinds!(@arg $req_ty),)+)?) -> Self {
                    Self {
                        $($($req: $req.into(),)+)?
                        $($($nul: None,)+)?
                        $($($opt: None,)+)?
                    }
                }

                $($($(#[$nul_doc])* pub fn $nul(mut self, $nul: kinds!(@arg $nul_ty)) -> Self {
                    self.$nul = Some($nul.into());
                    self
                })+)?
                $($($(#[$opt_doc])* pub fn $opt(mut self, $opt: kinds!(@arg $opt_ty)) -> Self {
                    self.$opt = Some($opt.into());
                    self
                })+)?

                /// Appends `,"field":value` for each field that is there.
                #[allow(unused_variables, clippy::ptr_arg, reason = "some kinds have no fields")]
                fn write_fields(&self, out: &mut String) {
                    $($(
                        out.push_str(concat!(",\"", stringify!($req), "\":"));
                        self.$req.write_json(out);
                    )+)?
                    $($(if let Some(value) = &self.$nul {
                        out.push_str(concat!(",\"", stringify!($nul), "\":"));
                        value.write_json(out);
                    })+)?
                    $($(if let Some(value) = &self.$opt {
                        out.push_str(concat!(",\"", stringify!($opt), "\":"));
                        value.write_json(out);
                    })+)?
                }

                /// Bytes held outside the event itself.
                fn heap_bytes(&self) -> usize {
                    0 $($(+ HeapBytes::heap_bytes(&self.$req))+)?
                        $($(+ self.$nul.as_ref().map_or(0, HeapBytes::heap_bytes))+)?
                        $($(+ self.$opt.as_ref().map_or(0, HeapBytes::heap_bytes))+)?
                }

                /// The same without what was said, given or found.
                #[cfg(feature = "otlp")]
                fn without_content(&self) -> Self {
                    Self {
                        $($($req: content::required_without(&self.$req, kinds!(@holds $($req_holds)?)),)+)?
                        $($($nul: content::optional_without(&self.$nul, kinds!(@holds $($nul_holds)?)),)+)?
                        $($($opt: content::optional_without(&self.$opt, kinds!(@holds $($opt_holds)?)),)+)?
                    }
                }

                /// Lets a treatment go over what the fields say.
                #[allow(unused_variables, reason = "some kinds have no fields")]
                fn treat(&mut self, treatment: &mut dyn content::Treatment) {
                    $($(content::required(&mut self.$req, kinds!(@holds $($req_holds)?), treatment);)+)?
                    $($(content::optional(&mut self.$nul, kinds!(@holds $($nul_holds)?), treatment);)+)?
                    $($(content::optional(&mut self.$opt, kinds!(@holds $($opt_holds)?), treatment);)+)?
                }
            }

            impl From<$kind> for Body {
                fn from(event: $kind) -> Self {
                    Self::$kind(event.into())
                }
            }

            impl From<$kind> for $crate::StreamEvent {
                fn from(event: $kind) -> Self {
                    Self::new(Body::$kind(event.into()))
                }
            }
        )+

        /// Which kind of event: the name without the content.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $kind,)+
            /// A kind of another version or system, kept as it came.
            Unknown,
        }

        /// What happened: one kind of event with its content.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Body {
            $($(#[$doc])* $kind(kinds!(@stored $store $kind)),)+
            /// A kind of another version or system, kept as it came.
            Unknown(Box<Unknown>),
        }

        impl Kind {
            /// Every kind of this version, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The `type` on the wire. Empty for [`Kind::Unknown`], whose tag stands in its body.
            pub const fn tag(self) -> &'static str {
                match self {
                    $(Self::$kind => $tag,)+
                    Self::Unknown => "",
                }
            }

            /// The class of the kind; some events of a kind weigh more, see [`Body::class`].
            pub const fn class(self) -> Class {
                match self {
                    $(Self::$kind => Class::$class,)+
                    Self::Unknown => Class::Structural,
                }
            }

            /// The type in the persisted form; none for kinds that are not logged.
            pub const fn event_type(self) -> Option<ExecutionEventType> {
                match self {
                    $(Self::$kind => kinds!(@logged $($logged)+),)+
                    Self::Unknown => Some(ExecutionEventType::Unknown),
                }
            }

            /// The kind's place in the life of something.
            pub const fn life(self) -> Life {
                match self {
                    $(Self::$kind => kinds!(@life $life $($concept)?),)+
                    Self::Unknown => Life::AtOnce,
                }
            }

            /// The kind with this `type` on the wire; none for a tag of another version.
            pub fn from_tag(tag: &str) -> Option<Self> {
                match tag {
                    $($tag => Some(Self::$kind),)+
                    _ => None,
                }
            }

            /// Optional fields that the persisted form writes as `null` when they are absent.
            pub(crate) const fn nullable(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => &[$($(stringify!($nul),)+)?],)+
                    Self::Unknown => &[],
                }
            }

            /// Reads the fields of this kind out of a JSON object, which may hold others.
            pub(crate) fn read(self, fields: &str) -> Result<Body, serde_json::Error> {
                Ok(match self {
                    $(Self::$kind => Body::$kind(serde_json::from_str(fields)?),)+
                    Self::Unknown => Body::Unknown(serde_json::from_str(fields)?),
                })
            }

            /// JSON Schema of each kind's fields, by wire tag.
            #[cfg(feature = "schema")]
            pub(crate) fn schemas(generator: &mut schemars::SchemaGenerator) -> Vec<(Self, schemars::Schema)> {
                vec![$((Self::$kind, <$kind as schemars::JsonSchema>::json_schema(generator)),)+]
            }
        }

        impl Body {
            /// The event's kind.
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)+
                    Self::Unknown(_) => Kind::Unknown,
                }
            }

            /// What tells two things of the same concept in one step apart; none where the step id does.
            pub fn key(&self) -> Option<&Text> {
                match self {
                    $($($(Self::$kind(event) => Some(&event.$key),)?)?)+
                    _ => None,
                }
            }

            /// The same, to be changed.
            pub(crate) fn key_mut(&mut self) -> Option<&mut Text> {
                match self {
                    $($($(Self::$kind(event) => Some(&mut event.$key),)?)?)+
                    _ => None,
                }
            }

            pub(crate) fn write_fields(&self, out: &mut String) {
                match self {
                    $(Self::$kind(event) => event.write_fields(out),)+
                    Self::Unknown(event) => event.write_fields(out),
                }
            }

            pub(crate) fn heap_bytes(&self) -> usize {
                match self {
                    $(Self::$kind(event) => kinds!(@size $store $kind) + event.heap_bytes(),)+
                    Self::Unknown(event) => event.heap_bytes(),
                }
            }

            /// The same event without what was said, given or found: optional fields are absent then, the others empty.
            /// Names, ids, counts and reasons stay.
            #[cfg(feature = "otlp")]
            pub(crate) fn without_content(&self) -> Self {
                match self {
                    $(Self::$kind(event) => Self::$kind(event.without_content().into()),)+
                    Self::Unknown(event) => Self::Unknown(Box::new(content::Treated::cleared(&**event))),
                }
            }

            /// Lets a treatment go over what the event says; ids stay as they are.
            pub(crate) fn treat(&mut self, treatment: &mut dyn content::Treatment) {
                match self {
                    $(Self::$kind(event) => event.treat(treatment),)+
                    Self::Unknown(event) => content::Treated::treat(&mut **event, treatment),
                }
            }
        }
    };

    // Numbers are taken as they are: a literal would not know what to become through `Into`.
    (@arg u64) => { u64 };
    (@arg f64) => { f64 };
    (@arg bool) => { bool };
    (@arg $other:tt) => { impl Into<$other> };
    (@holds) => { content::Holds::Remark };
    (@holds content) => { content::Holds::Content };
    (@holds id) => { content::Holds::Id };
    (@stored inline $kind:ident) => { $kind };
    (@stored boxed $kind:ident) => { Box<$kind> };
    (@size inline $kind:ident) => { 0 };
    (@size boxed $kind:ident) => { size_of::<$kind>() };
    (@logged not logged) => { None };
    (@logged as $event_type:ident) => { Some(ExecutionEventType::$event_type) };
    (@life at_once) => { Life::AtOnce };
    (@life opens $concept:ident) => { Life::Opens(Concept::$concept) };
    (@life continues $concept:ident) => { Life::Continues(Concept::$concept) };
    (@life closes $concept:ident) => { Life::Closes(Concept::$concept) };
}

pub(super) use {kinds, words};
