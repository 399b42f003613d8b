//! Documents and records of memory as lists of objects: what back ends read.

use super::messages::json::{Object, elements};

/// `[{content, id?, score?, metadata?}]`: a list of texts becomes a list of objects, one record a list of one. Objects
/// stay what they are; in memory, those without `content` are it.
pub(super) fn write(json: &str, is_memory: bool, out: &mut String) {
    let many = elements(json);
    let records = many.as_deref().unwrap_or(std::slice::from_ref(&json));
    out.push('[');
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_record(record, is_memory, out);
    }
    out.push(']');
}

fn write_record(record: &str, is_memory: bool, out: &mut String) {
    match Object::read(record) {
        Some(object) if object.has("content") || !is_memory => out.push_str(record),
        _ => {
            out.push_str("{\"content\":");
            out.push_str(record);
            out.push('}');
        }
    }
}
