#!/usr/bin/env bash
# Runs each fuzz target, or those that are named, for so many seconds: fuzz/run.sh SECONDS [TARGET…]
# As many run at once as there are cores; JOBS=1 runs them one by one.
# What it finds is in fuzz/artifacts/TARGET, and `cargo fuzz run -s none TARGET FILE` shows it again.
set -euo pipefail
cd "$(dirname "$0")/.."
export SECONDS_EACH=${1:?how many seconds each?}
shift
# Instrumentation needs compiler options that stable compilers have under lock.
export RUSTC_BOOTSTRAP=1
# All code here is safe; without a sanitizer there are several times as many tries.
cargo fuzz build -s none
targets=("$@")
if [ $# -eq 0 ]; then
  mapfile -t targets < <(cargo fuzz list)
fi

fuzz() {
  local target=$1 log told failed=0
  mkdir -p "fuzz/corpus/$target"
  log=$(mktemp)
  # New inputs go to the first folder, which git does not keep.
  if cargo fuzz run -s none "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
    -max_total_time="$SECONDS_EACH" -max_len=4096 -timeout=20 -rss_limit_mb=2048 \
    -print_final_stats=1 >"$log" 2>&1; then
    told=$(grep -E 'cov: ' "$log" | tail -n 1; grep -E 'Done|average_exec|peak_rss' "$log")
  else
    told=$(tail -n 60 "$log"; echo "FAILED: $target")
    failed=1
  fi
  # In one piece, as another target may have something to say at the same time.
  printf -- '--- %s\n%s\n' "$target" "$told"
  rm -f "$log"
  return $failed
}
export -f fuzz
printf '%s\n' "${targets[@]}" | xargs -P "${JOBS:-$(nproc)}" -I TARGET bash -c 'fuzz TARGET'
