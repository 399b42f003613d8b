use spanwright::tool;

#[tool(skip())]
fn search(query: &str) -> usize {
    query.len()
}

fn main() {
    search("a");
}
