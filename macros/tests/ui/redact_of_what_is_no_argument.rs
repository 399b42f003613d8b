use spanwright::agent;

struct Bot;

impl Bot {
    #[agent(redact(pasword))]
    async fn log_in(&self, password: &str) -> usize {
        password.len()
    }
}

fn main() {
    drop(Bot.log_in("a"));
}
