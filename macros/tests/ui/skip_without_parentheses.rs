use spanwright::tool;

#[tool(skip = query)]
fn search(query: &str) -> usize {
    query.len()
}

fn main() {
    search("a");
}
