use spanwright::tool;

trait Search {
    #[tool]
    fn search(&self, query: &str) -> usize;
}

impl Search for str {
    fn search(&self, query: &str) -> usize {
        self.len() + query.len()
    }
}

fn main() {
    "a".search("b");
}
