use spanwright::memory;

#[memory(recall, store)]
fn find(query: &str) -> Vec<String> {
    vec![query.to_owned()]
}

fn main() {
    find("a");
}
