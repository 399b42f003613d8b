use spanwright::tool;

#[tool(name = "a" skip(query))]
fn search(query: &str) -> usize {
    query.len()
}

fn main() {
    search("a");
}
