use spanwright::evaluator;

#[evaluator(name = 7, modle = "gpt-4o", redact(answer, question), ret = maybe)]
fn relevance(answer: &str) -> f64 {
    answer.len() as f64
}

fn main() {
    relevance("a");
}
