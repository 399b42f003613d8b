use spanwright::step;

#[step(fields(attempt))]
fn plan(attempt: u8) -> u8 {
    attempt
}

fn main() {
    plan(1);
}
