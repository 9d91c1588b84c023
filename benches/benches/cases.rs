//! All cases by criterion, each in a window of its own: `cargo bench -p tower-iiif-auth-benches`, or
//! `… -- hot_path` for one group. For ratios see the program `ratios`.

use criterion::{Criterion, criterion_group, criterion_main};
use tower_iiif_auth_benches::cases::GROUPS;

fn all(criterion: &mut Criterion) {
    for (name, make) in GROUPS {
        let mut group = criterion.benchmark_group(*name);
        for mut case in make() {
            group.bench_function(case.name.clone(), |bencher| bencher.iter(|| case.run()));
        }
        group.finish();
    }
}

criterion_group!(benches, all);
criterion_main!(benches);
