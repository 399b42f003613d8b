use spanwright::step;

#[step(fields(attempt = 1, plan.kind = "deep", attempt = 2))]
fn plan() {}

fn main() {
    plan();
}
