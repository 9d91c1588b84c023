# What the scripts beside this file share: processes that end with the script, CPU and memory as /proc tells
# them, medians.
# shellcheck shell=bash

work=$(mktemp -d)
processes=()
finish() {
  kill "${processes[@]}" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

port=${PORT:-18730}
tile=/iiif/3/page1/0,0,512,512/512,/0/default.jpg

# The programs, all at once: alone each of them would need other features of the same crates. They are taken as
# they are where BUILT is set.
release=$(realpath -m "${CARGO_TARGET_DIR:-target}")/release
build() {
  [ -n "${BUILT:-}" ] || cargo build --release --quiet -p iiif-auth-proxy -p tower-iiif-auth-benches \
    --bin iiif-auth-proxy --bin manifests --bin visitors
}

# Does something beside the script, until its end; $started is the process.
start() {
  "$@" &
  started=$!
  processes+=("$started")
}

# Until somebody listens at a port.
await() {
  local _
  for _ in $(seq 200); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.05
  done
  echo "nobody listens at port $1" >&2
  exit 1
}

median() { sort -g | awk '{ v[NR] = $1 } END { print NR ? v[int((NR + 1) / 2)] : "-" }'; }

# Nanoseconds of CPU, user and system, that these processes and those they began have used.
cpu() {
  local id child
  for id in "$@"; do
    for child in "$id" $(cat "/proc/$id"/task/*/children); do cat "/proc/$child"/task/*/schedstat; done
  done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# A process's memory in KiB: VmRSS now, VmHWM at its peak.
memory() { awk -v name="$2:" '$1 == name { print $2 }' "/proc/$1/status"; }

# Requests, p50 and p99 in µs, of a log of h2load's; each has to be a 200.
latencies() {
  awk '$2 != 200 { exit 1 }' "$1" || { echo "$1: not all were 200" >&2; return 1; }
  cut -f 3 "$1" | sort -n | awk '{ v[NR] = $1 } END { print NR, v[int(NR * 0.5) + 1], v[int(NR * 0.99) + 1] }'
}

# nginx in a folder of its own: "server" blocks come on standard input, what belongs to all in $2.
nginx_with() {
  local name=$1 shared=${2:-}
  mkdir -p "$work/$name"
  {
    [ "$(id -u)" != 0 ] || echo 'user root;'
    echo "daemon off; worker_processes auto; pid $work/$name/pid; error_log $work/$name/error.log warn;"
    echo 'events { worker_connections 1024; }'
    echo "http { access_log off; keepalive_requests 1000000; client_body_temp_path $work/$name/body;"
    echo "proxy_temp_path $work/$name/proxy; fastcgi_temp_path $work/$name/f; uwsgi_temp_path $work/$name/u;"
    echo "scgi_temp_path $work/$name/s; default_type image/jpeg; $shared"
    cat
    echo '}'
  } >"$work/$name/nginx.conf"
  start nginx -p "$work/$name" -c "$work/$name/nginx.conf"
}

# iiif-auth-proxy in a folder of its own, at a port of this machine: readers may have what lies below /iiif/3
# at the image server at $port. More of its configuration comes as $3: keys of a section, or what begins one.
# It starts with what $4 says, keys of the beginning.
proxy_with() {
  local name=$1 listen=$2 more=${3:-} first=${4:-}
  mkdir -p "$work/$name"
  (
    cd "$work/$name"
    umask 077
    "$release/iiif-auth-proxy" key generate iiif-auth.key >/dev/null
    # Of "secret", as cheap as bcrypt gets.
    echo 'ada:$2b$04$qF6bbllW6Gh.y.ezvlBqCeOWDX0baBF7tvE9UBmRRT3yI.ND1nvAW:reader' >users
    cat >proxy.toml <<TOML
listen = "127.0.0.1:$listen"
public_url = "https://iiif.example"
key_file = "iiif-auth.key"
trusted_proxies = ["127.0.0.1"]
$first

[upstream]
url = "http://127.0.0.1:$port"

[[access]]
kind = "login"
label = { en = "Library" }
heading = { en = "Log in" }
users_file = "users"

[[base]]
path = "/iiif/3"

[[rule]]
match = ["*"]
allow = ["reader"]
$more
TOML
  )
  start "$release/iiif-auth-proxy" --config "$work/$name/proxy.toml" 2>"$work/$name/log"
}

# The cookie of somebody who logs in at the proxy at a port.
log_in() {
  curl --silent --output /dev/null --dump-header - --header 'Origin: https://iiif.example' \
    --data 'username=ada&password=secret' "http://127.0.0.1:$1/auth/login" |
    sed -n 's/^set-cookie: \(__Host-iiif=[^;]*\).*/\1/Ip' | head -n 1
}
