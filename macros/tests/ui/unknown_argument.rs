use spanwright::tool;

#[tool(nmae = "search")]
fn search(query: &str) -> usize {
    query.len()
}

fn main() {
    search("a");
}
