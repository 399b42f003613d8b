use spanwright::step;

#[step(ret = "no")]
fn plan() -> u8 {
    1
}

fn main() {
    plan();
}
