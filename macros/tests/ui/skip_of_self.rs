use spanwright::agent;

struct Bot;

impl Bot {
    #[agent(skip(self))]
    fn run(&self) {}
}

fn main() {
    Bot.run();
}
