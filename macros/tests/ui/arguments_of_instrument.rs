use spanwright::step;

#[step(level = "debug", skip_all)]
fn plan() {}

fn main() {
    plan();
}
