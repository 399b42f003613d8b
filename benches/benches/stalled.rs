//! What stalled readers cost the publisher, in alternating slices.
//!
//! `cargo bench --bench stalled`

use spanwright_benches::{
    stalled::{Kind, Samples, World},
    table::{self, median, number, ratio},
    watching,
};

const STALLED: [usize; 3] = [0, 1, 64];
/// Each with worlds of its own: where the memory of one lies, and which core its threads begin on, stays as it is.
const ROUNDS: usize = 15;
const SLICES: usize = 6;

/// p50 and p99 of one `emit` in ns, and of the time until a group is shown in us.
type Figures = [f64; 4];

fn main() {
    watching::raise_limit();
    println!(
        "ns of one `emit`, and us until the hub shows a group of 16: p50 / p99 (ratio of each to no stalled reader); \
         medians of {ROUNDS} rounds."
    );
    for (title, kind) in [("Sockets", Kind::Sockets), ("Subscriptions", Kind::Subscriptions)] {
        let rounds: Vec<_> = (0..ROUNDS).map(|round| measure(kind, round)).collect();
        let rows = [row("`emit`, ns", &rounds, 0), row("until shown, us", &rounds, 2)];
        table::print(title, &["stalled readers", "0", "1", "64"], &rows);
    }
}

fn measure(kind: Kind, round: usize) -> [Figures; 3] {
    let mut worlds = STALLED.map(|stalled| (World::new(kind, stalled), Samples::default()));
    for slice in 0..SLICES {
        for turn in 0..worlds.len() {
            // Nobody is always first.
            let (world, all) = &mut worlds[(round + slice + turn) % STALLED.len()];
            let mut one = world.slice();
            all.emit.append(&mut one.emit);
            all.shown.append(&mut one.shown);
        }
    }
    worlds.map(|(_, samples)| {
        let ([emit50, emit99], [shown50, shown99]) = (both(samples.emit), both(samples.shown));
        [emit50, emit99, shown50 / 1e3, shown99 / 1e3]
    })
}

fn both(mut samples: Vec<u64>) -> [f64; 2] {
    samples.sort_unstable();
    [0.5, 0.99].map(|share| samples[(samples.len() as f64 * share) as usize] as f64)
}

fn row(title: &str, rounds: &[[Figures; 3]], first: usize) -> Vec<String> {
    let of = |world: usize, figure: usize| number(median(rounds.iter().map(|round| round[world][figure]).collect()));
    let to = |world: usize, figure: usize| {
        let ratios = rounds.iter().map(|round| round[world][figure] / round[0][figure]);
        ratio(median(ratios.collect()), 1.0)
    };
    let cell = |world: usize| {
        let (p50, p99) = (first, first + 1);
        format!("{} / {} ({} / {})", of(world, p50), of(world, p99), to(world, p50), to(world, p99))
    };
    [title.to_owned()].into_iter().chain((0..STALLED.len()).map(cell)).collect()
}
