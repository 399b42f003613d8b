//! JSON Schema of answers and bodies, from the types that are written and read (feature `schema`); without the feature
//! only that they are objects.

use serde_json::Value;

/// What gives the schema of an answer; definitions that several share are gathered.
pub(super) type Schema = fn(&mut Schemas) -> Value;

#[cfg(feature = "schema")]
mod known {
    use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
    use serde_json::Value;

    /// Gathers definitions under `components`, where OpenAPI keeps them. OpenAPI 3.1 has the schemas of JSON Schema
    /// 2020-12 (3.1.1, 4.8.24).
    pub(in crate::serve) struct Schemas(SchemaGenerator);

    impl Schemas {
        pub(in crate::serve) fn new() -> Self {
            let settings = SchemaSettings::draft2020_12().for_serialize();
            Self(settings.with(|settings| settings.definitions_path = "/components/schemas".into()).into_generator())
        }

        /// A reference to it.
        pub(in crate::serve) fn of<T: JsonSchema>(&mut self) -> Value {
            self.0.subschema_for::<T>().into()
        }

        /// What was referred to.
        pub(in crate::serve) fn definitions(mut self) -> Value {
            self.0.take_definitions(true).into()
        }
    }

    pub(in crate::serve) fn schema_of<T: JsonSchema>(schemas: &mut Schemas) -> Value {
        schemas.of::<T>()
    }

    /// Of what is read: where a member is not there, is another matter than in what is written. Whole, since a
    /// definition of its name may be that of the written form.
    pub(in crate::serve) fn body_of<T: JsonSchema>(_: &mut Schemas) -> Value {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            (settings.inline_subschemas, settings.meta_schema) = (true, None);
        });
        settings.into_generator().into_root_schema_for::<T>().into()
    }
}

#[cfg(not(feature = "schema"))]
mod known {
    use serde_json::{Value, json};

    pub(in crate::serve) struct Schemas;

    impl Schemas {
        pub(in crate::serve) fn new() -> Self {
            Self
        }

        #[expect(clippy::extra_unused_type_parameters, reason = "with the feature it says of what")]
        pub(in crate::serve) fn of<T>(&mut self) -> Value {
            json!({ "type": "object" })
        }

        pub(in crate::serve) fn definitions(self) -> Value {
            json!({})
        }
    }

    pub(in crate::serve) fn schema_of<T>(schemas: &mut Schemas) -> Value {
        schemas.of::<T>()
    }

    pub(in crate::serve) fn body_of<T>(schemas: &mut Schemas) -> Value {
        schemas.of::<T>()
    }
}

pub(super) use known::{Schemas, body_of, schema_of};
