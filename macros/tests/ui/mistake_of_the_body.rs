use spanwright::tool;

#[tool]
async fn search(query: &str) -> Result<usize, String> {
    Ok(query)
}

fn main() {
    drop(search("a"));
}
