use spanwright::memory;

#[memory(recal)]
fn find(query: &str) -> Vec<String> {
    vec![query.to_owned()]
}

fn main() {
    find("a");
}
