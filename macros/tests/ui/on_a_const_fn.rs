use spanwright::tool;

#[tool]
const fn double(n: u8) -> u8 {
    n * 2
}

fn main() {
    const FOUR: u8 = double(2);
    let _ = FOUR;
}
