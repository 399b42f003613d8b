#![deny(unused_must_use)]

use spanwright::{step, tool};

#[must_use = "it took long"]
#[tool]
fn search(query: &str) -> usize {
    query.len()
}

#[step]
async fn plan() {}

fn main() {
    search("a");
    plan();
}
