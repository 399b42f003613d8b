use spanwright::agent;

struct Bot;

#[agent]
impl Bot {
    fn run(&self) {}
}

fn main() {
    Bot.run();
}
