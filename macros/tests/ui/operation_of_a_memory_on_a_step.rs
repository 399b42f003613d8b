use spanwright::step;

#[step(recall)]
fn plan() {}

fn main() {
    plan();
}
