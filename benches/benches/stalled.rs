//! What stalled readers cost the publisher, in alternating slices.
//!
//! `cargo bench --bench stalled`

use spanwright_benches::{
    stalled::{Kind, Samples, World},
    table::{self, number, ratio},
    watching,
};

const STALLED: [usize; 3] = [0, 1, 64];
const SLICES: usize = 24;

fn main() {
    watching::raise_limit();
    println!(
        "ns of one `emit`, and us until the hub shows a group of 16: p50 / p99 (ratio of each to no stalled reader)."
    );
    for (title, kind) in [("Sockets", Kind::Sockets), ("Subscriptions", Kind::Subscriptions)] {
        let mut worlds = STALLED.map(|stalled| (World::new(kind, stalled), Samples::default()));
        for slice in 0..SLICES {
            for turn in 0..worlds.len() {
                // Nobody is always first.
                let (world, all) = &mut worlds[(slice + turn) % STALLED.len()];
                let mut one = world.slice();
                all.emit.append(&mut one.emit);
                all.shown.append(&mut one.shown);
            }
        }
        print(title, worlds.map(|(_, samples)| samples));
    }
}

fn print(title: &str, worlds: [Samples; 3]) {
    let parts = |get: fn(&Samples) -> &Vec<u64>| worlds.each_ref().map(|samples| get(samples).clone());
    let rows = [
        row("`emit`, ns", parts(|samples| &samples.emit), 1.0),
        row("until shown, us", parts(|samples| &samples.shown), 1e3),
    ];
    table::print(title, &["stalled readers", "0", "1", "64"], &rows);
}

fn row(title: &str, worlds: [Vec<u64>; 3], unit: f64) -> Vec<String> {
    let both = worlds.map(|mut samples| {
        samples.sort_unstable();
        [0.5, 0.99].map(|share| samples[(samples.len() as f64 * share) as usize] as f64 / unit)
    });
    let cell = |of: &[f64; 2]| {
        let ratios = [ratio(of[0], both[0][0]), ratio(of[1], both[0][1])];
        format!("{} / {} ({} / {})", number(of[0]), number(of[1]), ratios[0], ratios[1])
    };
    [title.to_owned()].into_iter().chain(both.iter().map(cell)).collect()
}
