use spanwright::tool;

#[tool(name)]
async fn search(query: &str) -> usize {
    query.len()
}

fn main() {
    drop(search("a"));
}
