use spanwright::step;

#[step(name = "")]
fn plan() {}

fn main() {
    plan();
}
