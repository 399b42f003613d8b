//! What the agent remembers between questions: one fact a line, recalled by shared words.

use std::io::Write;
use std::path::PathBuf;

use crate::notes::keywords;

pub(crate) struct Memory {
    facts: Vec<String>,
    /// Only where the user names a file are facts kept beyond this run.
    file: Option<PathBuf>,
}

const FIRST_FACTS: &[&str] = &[
    "The user likes answers with the sum that leads to the number.",
    "The user asked about light and the Moon before and found seconds easier than minutes.",
    "Distances are given in kilometres, heights in metres.",
];

pub(crate) fn open(file: Option<PathBuf>) -> anyhow::Result<Memory> {
    let kept = match &file {
        Some(path) if path.exists() => std::fs::read_to_string(path)?,
        _ => String::new(),
    };
    let mut facts: Vec<String> = FIRST_FACTS.iter().map(|fact| (*fact).to_owned()).collect();
    facts.extend(kept.lines().filter(|line| !line.is_empty()).map(str::to_owned));
    Ok(Memory { facts, file })
}

#[spanwright::memory(recall, skip(memory))]
pub(crate) fn recall(memory: &Memory, question: &str, limit: usize) -> Vec<String> {
    let wanted = keywords(question);
    let mut scored: Vec<(usize, &String)> =
        memory.facts.iter().map(|fact| (shared_words(fact, &wanted), fact)).filter(|(score, _)| *score > 0).collect();
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().take(limit).map(|(_, fact)| fact.clone()).collect()
}

#[spanwright::memory(store, skip(memory))]
pub(crate) fn store(memory: &mut Memory, fact: &str) -> anyhow::Result<()> {
    let fact = fact.split_whitespace().collect::<Vec<_>>().join(" ");
    if fact.is_empty() || memory.facts.contains(&fact) {
        return Ok(());
    }
    if let Some(path) = &memory.file {
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
        writeln!(file, "{fact}")?;
    }
    memory.facts.push(fact);
    Ok(())
}

fn shared_words(fact: &str, wanted: &[String]) -> usize {
    keywords(fact).iter().filter(|word| wanted.contains(word)).count()
}
