//! The resource: who says all this.

use crate::semconv;

/// The attributes given, each key once with its last value, and what the specification asks for beside them ("Resource
/// Semantic Conventions", "Attributes with Special Handling": a `service.name`, and the SDK's own).
pub(in crate::otlp) fn complete(given: &[(String, String)]) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    let sdk = [
        (semconv::TELEMETRY_SDK_NAME, env!("CARGO_PKG_NAME")),
        (semconv::TELEMETRY_SDK_LANGUAGE, "rust"),
        (semconv::TELEMETRY_SDK_VERSION, env!("CARGO_PKG_VERSION")),
    ];
    all.push((semconv::SERVICE_NAME.to_owned(), unknown_service()));
    all.extend(sdk.map(|(key, value)| (key.to_owned(), value.to_owned())));
    for (key, value) in given {
        match all.iter_mut().find(|(known, _)| known == key.trim()) {
            Some((_, old)) => old.clone_from(value),
            None => all.push((key.trim().to_owned(), value.clone())),
        }
    }
    all
}

/// "SDKs MUST fallback to `unknown_service:` concatenated with process.executable.name … If process.executable.name is
/// not available, the value MUST be set to `unknown_service`."
fn unknown_service() -> String {
    let executable = std::env::current_exe().ok();
    match executable.as_deref().and_then(std::path::Path::file_name) {
        Some(name) => format!("unknown_service:{}", name.to_string_lossy()),
        None => "unknown_service".to_owned(),
    }
}
