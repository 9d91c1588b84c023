//! Instructions and heap allocations of each case, which do not depend on how busy a machine is.
//!
//! `cargo run --release -p tower-iiif-auth-benches --bin instructions [group …]` runs itself under
//! valgrind's callgrind, once a group, and prints a table a group. "Net" is what is left when the same
//! request without the layer is taken away.

#![allow(clippy::print_stdout, reason = "a report")]

use std::env;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tower_iiif_auth_benches::Case;
use tower_iiif_auth_benches::cases::GROUPS;

/// Set for the process under callgrind: the group that it runs.
const GROUP: &str = "MEASURED_GROUP";

fn main() -> Result<(), Box<dyn Error>> {
    if let Ok(group) = env::var(GROUP) {
        let mut cases = cases(&group).ok_or("no such group")?;
        // The heap is to look the same to the first case as to the last.
        cases.iter_mut().for_each(Case::run);
        for case in &mut cases {
            let runs = runs(case);
            measured(case, runs);
            println!("{runs}");
        }
        return Ok(());
    }
    let wanted: Vec<_> = env::args().skip(1).collect();
    for (group, make) in GROUPS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == group) {
            let totals = under_callgrind(group)?;
            let mut cases = make();
            print(group, &mut cases, &totals);
        }
    }
    Ok(())
}

fn cases(group: &str) -> Option<Vec<Case>> {
    GROUPS.iter().find(|(name, _)| *name == group).map(|(_, make)| make())
}

/// The function whose instructions callgrind counts, one profile a call.
#[inline(never)]
fn measured(case: &mut Case, runs: u32) {
    for _ in 0..runs {
        case.run();
    }
    black_box(runs);
}

/// Warms a case up; how often it is to run: rarely if a run takes long.
fn runs(case: &mut Case) -> u32 {
    let start = Instant::now();
    for _ in 0..20 {
        case.run();
    }
    if start.elapsed() > Duration::from_millis(400) { 10 } else { 200 }
}

/// Instructions of one run of each case of a group.
fn under_callgrind(group: &str) -> Result<Vec<f64>, Box<dyn Error>> {
    let folder = env::temp_dir().join(format!("instructions-{}-{group}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let child = Command::new("valgrind")
        .arg("--tool=callgrind")
        .args(["--dump-after=instructions::measured", "--zero-before=instructions::measured"])
        .arg(format!("--callgrind-out-file={}", folder.join("%p").display()))
        .arg(env::current_exe()?)
        .env(GROUP, group)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("valgrind is needed: {error}"))?;
    let id = child.id();
    let output = child.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("the group {group} failed under valgrind: {}", output.status).into());
    }
    // One line a case: how often it ran. One profile a case, numbered from 1.
    let runs = String::from_utf8(output.stdout)?;
    let of = |(number, runs): (usize, &str)| -> Result<f64, Box<dyn Error>> {
        let profile = fs::read_to_string(folder.join(format!("{id}.{}", number + 1)))?;
        let total = profile.lines().find_map(|line| line.strip_prefix("totals: "));
        let total: f64 = total.ok_or("callgrind told no total")?.trim().parse()?;
        Ok(total / runs.parse::<f64>()?)
    };
    let instructions = runs.lines().enumerate().map(of).collect::<Result<_, _>>()?;
    fs::remove_dir_all(&folder)?;
    Ok(instructions)
}

fn print(group: &str, cases: &mut [Case], instructions: &[f64]) {
    println!(
        "\n### {group}\n\n| case | instructions | net | allocations | net |\n|---|---:|---:|---:|---:|"
    );
    let allocations: Vec<_> = cases.iter_mut().map(allocations).collect();
    for (index, case) in cases.iter().enumerate() {
        let base = case.base.and_then(|base| cases.iter().position(|case| case.name == base));
        let net = |of: &dyn Fn(usize) -> f64| {
            base.map_or_else(String::new, |base| format!("{:.0}", of(index) - of(base)))
        };
        let instructions = |index: usize| instructions[index];
        let allocations = |index: usize| allocations[index];
        println!(
            "| {} | {:.0} | {} | {:.0} | {} |",
            case.name,
            instructions(index),
            net(&instructions),
            allocations(index),
            net(&allocations)
        );
    }
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn allocations(case: &mut Case) -> f64 {
    runs(case);
    allocation_counter::measure(|| case.run()).count_total as f64
}
