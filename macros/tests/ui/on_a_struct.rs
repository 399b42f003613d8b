use spanwright::agent;

#[agent]
struct Bot;

fn main() {
    let _ = Bot;
}
