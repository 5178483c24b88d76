# shellcheck shell=bash
# What script/demo, script/test and script/lint share. The caller has set root, the folder of the repository.

. "$root/script/lib/programs.sh"
. "$root/script/lib/install.sh"

say() { printf '%s: %s\n' "script/${0##*/}" "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# usage prints the comment at the head of the calling script.
usage() { sed -n '2,/^[^#]/{ s/^# \{0,1\}//p; }' "$0"; }

# prepare PROGRAM… installs those that are absent; where all are there it touches nothing and needs no network.
prepare() {
  local missing
  need_go
  missing=$(absent "$@")
  [ -z "$missing" ] && return
  # shellcheck disable=SC2086 # names without spaces
  install_programs $missing
  missing=$(absent "$@")
  [ -z "$missing" ] && return
  say "still missing after the installation:"
  explain "$missing" >&2
  exit 1
}

# prepare_rails installs Rails where that asks nobody anything; there, the tests that need it fail without it. Elsewhere they are
# skipped. What apt has is of use to apt's own Ruby alone.
prepare_rails() {
  local packages=(ruby-railties ruby-activerecord ruby-pg)
  if ! has_rails >/dev/null 2>&1; then
    command -v apt-get >/dev/null && [ "$(command -v ruby)" = /usr/bin/ruby ] || return 0
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 0
    say "installing with apt-get$(how): ${packages[*]}"
    as_root bash "$root/script/lib/apt-install" "${packages[@]}" || say "Rails could not be installed: its tests will fail"
  fi
  export TASKER_TEST_RAILS=required
}

# prepare_pgbouncer installs PgBouncer where that asks nobody anything; elsewhere the tests that need it are skipped.
prepare_pgbouncer() {
  if ! command -v pgbouncer >/dev/null && [ ! -x /usr/sbin/pgbouncer ]; then
    command -v apt-get >/dev/null || return 0
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 0
    say "installing with apt-get$(how): pgbouncer"
    as_root bash "$root/script/lib/apt-install" pgbouncer || say "PgBouncer could not be installed: its tests will fail"
  fi
  export TASKER_TEST_PGBOUNCER=required
}

need_go() {
  command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin
  command -v go >/dev/null || fail "Go is not on the PATH; install it from https://go.dev/dl/ or with your package manager"
  # Where GOPATH belongs to somebody else, as in some images, Go keeps its modules in the user's own folder.
  local modules
  modules=$(go env GOMODCACHE)
  if ! mkdir -p "$modules" 2>/dev/null || [ ! -w "$modules" ]; then
    export GOPATH=$HOME/go GOMODCACHE=$HOME/go/pkg/mod
  fi
  # Go stamps builds with the commit, and gives up where git refuses to read somebody else's folder.
  if ! git -C "$root" rev-parse HEAD >/dev/null 2>&1; then
    export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
  fi
}

# build NAME PACKAGE makes $bin/NAME. Binaries go to bin/, or to the user's cache where the clone is read-only.
build() {
  bin=$root/bin
  if ! mkdir -p "$bin" 2>/dev/null || [ ! -w "$bin" ]; then
    bin=${XDG_CACHE_HOME:-$HOME/.cache}/tasker-worker/bin
    mkdir -p "$bin"
  fi
  go build -o "$bin/$1" "$2"
}

build_worker() {
  say "building the worker (the first time takes some minutes: Go fetches and compiles what it depends on)"
  build tasker-worker ./cmd/tasker-worker
  # shellcheck disable=SC2034 # for the calling script
  worker=$bin/tasker-worker
}
