use spanwright::tool;

#[tool(name = search)]
fn search(query: &str) -> usize {
    query.len()
}

fn main() {
    search("a");
}
