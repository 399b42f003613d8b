use spanwright::step;

#[step(err(Debug))]
fn plan() -> Result<u8, u8> {
    Ok(1)
}

fn main() {
    let _ = plan();
}
