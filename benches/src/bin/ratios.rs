//! Time of each case as a ratio to others, in interleaved rounds within one process.
//!
//! `cargo run --release -p tower-iiif-auth-benches --bin ratios [group …]`, 300 rounds; with
//! `ROUNDS=1000` as many.

#![allow(clippy::print_stdout, reason = "a report")]

use std::env;

use tower_iiif_auth_benches::cases::GROUPS;
use tower_iiif_auth_benches::rounds::Rounds;

fn main() {
    let rounds = env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(300);
    let wanted: Vec<_> = env::args().skip(1).collect();
    for (group, make) in GROUPS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == group) {
            continue;
        }
        let mut cases = make();
        let measured = Rounds::of(&mut cases, rounds);
        let base = |index: usize| {
            let base = cases[index].base?;
            cases.iter().position(|case| case.name == base)
        };
        // What all others are compared with: the first case whose cost is net.
        let unit = (0..cases.len()).find(|index| cases[*index].name.contains("allowed tile"));
        let unit =
            unit.or_else(|| (0..cases.len()).find(|index| base(*index).is_some())).unwrap_or(0);
        let net = |round: &[f64], index: usize| {
            round[index] - base(index).map_or(0.0, |base| round[base])
        };
        println!("\n### {group}: net time against “{}”, {rounds} rounds", cases[unit].name);
        println!(
            "\n| case | ns gross, median | ns net, median | ratio, median | quartiles |\n|---|---:|---:|---:|---|"
        );
        for (index, case) in cases.iter().enumerate() {
            let [_, gross, _] = measured.quartiles(|round| round[index]);
            let [_, own, _] = measured.quartiles(|round| net(round, index));
            let [low, ratio, high] =
                measured.quartiles(|round| net(round, index) / net(round, unit));
            println!(
                "| {} | {gross:.0} | {own:.0} | {ratio:.2} | {low:.2} to {high:.2} |",
                case.name
            );
        }
    }
}
