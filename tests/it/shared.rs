//! What lies beside the checkout: golden wire forms, real runs, scripts. Tests that need it are skipped without it.

use std::path::PathBuf;

/// The text of a file of `../shared`. Where it is missing, says so and gives none: the caller counts as skipped.
pub(crate) fn read(path: &str) -> Option<String> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared").join(path);
    let text = std::fs::read_to_string(&file).ok();
    if text.is_none() {
        eprintln!("skipped: ../shared/{path} is not beside this checkout");
    }
    text
}
