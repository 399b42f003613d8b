use spanwright::tool;

#[tool(skip(qeury))]
fn search(query: &str) -> usize {
    query.len()
}

fn main() {
    search("a");
}
