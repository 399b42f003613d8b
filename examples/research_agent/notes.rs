//! The documents the agent may search, and the search: a plain keyword score, no index.

use serde::Serialize;

pub(crate) struct Note {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: &'static str,
    pub(crate) worked_sum: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Hit {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) score: f64,
    pub(crate) text: &'static str,
    pub(crate) worked_sum: &'static str,
}

pub(crate) const NOTES: &[Note] = &[
    Note {
        id: "moon-light",
        title: "Moonlight is about a second old",
        text: "The Moon is on average 384400 km from Earth. Light travels 299792.458 km in a second, \
               so what we see of the Moon left it a little over a second ago.",
        worked_sum: "384400 / 299792.458",
    },
    Note {
        id: "sun-light",
        title: "Sunlight is eight minutes old",
        text: "The Sun is on average 149597870.7 km from Earth. At 299792.458 km in a second its light \
               needs about eight minutes and nineteen seconds to arrive.",
        worked_sum: "149597870.7 / 299792.458 / 60",
    },
    Note {
        id: "everest-boiling",
        title: "Water boils cooler on Everest",
        text: "The boiling point of water falls by roughly one degree for every 285 metres of height. \
               On the summit of Everest, 8849 metres high, water boils near 69 degrees.",
        worked_sum: "100 - 8849 / 285",
    },
    Note {
        id: "danube-flow",
        title: "The Danube fills a swimming pool quickly",
        text: "At its mouth the Danube carries about 6500 cubic metres of water a second. \
               An Olympic swimming pool holds 2500 cubic metres.",
        worked_sum: "2500 / 6500",
    },
    Note {
        id: "bee-honey",
        title: "A jar of honey is a long flight",
        text: "A worker bee makes about one twelfth of a teaspoon of honey in her life. \
               A jar of 450 grams holds about 64 teaspoons.",
        worked_sum: "64 * 12",
    },
];

const STOP_WORDS: &[&str] = &[
    "a", "an", "and", "are", "at", "does", "for", "from", "how", "in", "is", "it", "its", "many", "much", "of", "on",
    "or", "that", "the", "to", "we", "what", "when", "which", "why",
];

/// Lower-case words that carry meaning, with a plural `s` taken off so that "bees" finds "bee".
pub(crate) fn keywords(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .map(str::to_lowercase)
        .filter(|word| word.len() > 1 && !STOP_WORDS.contains(&word.as_str()))
        .map(|word| word.strip_suffix('s').map_or_else(|| word.clone(), str::to_owned))
        .collect()
}

/// The best notes first; a note that shares no word with the query is not a hit.
pub(crate) fn search(query: &str, limit: usize) -> Vec<Hit> {
    let wanted = keywords(query);
    let mut hits: Vec<Hit> = NOTES.iter().filter_map(|note| hit(note, &wanted)).collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(limit);
    hits
}

fn hit(note: &'static Note, wanted: &[String]) -> Option<Hit> {
    let score = score(note, wanted);
    (score > 0.0).then_some(Hit {
        id: note.id,
        title: note.title,
        score: (score * 100.0).round() / 100.0,
        text: note.text,
        worked_sum: note.worked_sum,
    })
}

/// A word in the title counts three times; rare words count more than words that many notes share.
fn score(note: &Note, wanted: &[String]) -> f64 {
    let (title, text) = (keywords(note.title), keywords(note.text));
    let count = |words: &[String], word: &String| words.iter().filter(|w| *w == word).count() as f64;
    wanted.iter().map(|word| (3.0 * count(&title, word) + count(&text, word)) * rarity(word)).sum()
}

fn rarity(word: &String) -> f64 {
    let holders =
        NOTES.iter().filter(|note| keywords(note.title).contains(word) || keywords(note.text).contains(word)).count();
    (1.0 + NOTES.len() as f64 / (1.0 + holders as f64)).ln()
}
