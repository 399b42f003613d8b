use spanwright::step;

#[step(name = "a", name = "b")]
fn plan() {}

fn main() {
    plan();
}
