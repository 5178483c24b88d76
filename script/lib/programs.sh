# shellcheck shell=bash
# Which programs are needed in which version, and whether this machine has them.

# absent PROGRAM… prints the names of those that are missing or too old.
absent() {
  local program
  for program in "$@"; do
    "has_$program" >/dev/null 2>&1 || echo "$program"
  done
}

# explain NAMES says in words what is missing.
explain() {
  local program
  for program in $1; do
    case $program in
      gcc) echo "  a C compiler (gcc), for the race detector" ;;
      node) echo "  Node 18 or newer as \`node\`; found $(found node --version)" ;;
      postgresql) echo "  PostgreSQL 15 or newer: the server's programs initdb and postgres; or set DATABASE_URL" ;;
      python) echo "  Python 3.9 or newer as \`python3\`; found $(found python3 --version)" ;;
      ruby) echo "  Ruby 3.1 or newer as \`ruby\`; found $(found ruby --version)" ;;
    esac
  done
}

found() {
  command -v "$1" >/dev/null || { echo none && return; }
  "$@" 2>&1 | head -n 1
}

has_gcc() { command -v gcc || command -v clang; }

has_node() { node -e 'process.exit(parseInt(process.versions.node, 10) < 18 ? 1 : 0)'; }

has_python() { python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))'; }

has_ruby() { ruby -e 'exit((RUBY_VERSION.split(".").map(&:to_i) <=> [3, 1]) >= 0)'; }

has_rails() { ruby -e 'require "logger"; require "rails"; require "active_record"; require "pg"'; }

# The worker looks in the same places: see sql/devdb.
has_postgresql() {
  local folder
  for folder in "$(dirname "$(command -v initdb || echo /nowhere/initdb)")" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
    /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin /usr/local/pgsql/bin; do
    [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] || continue
    [ "$(major "$("$folder/postgres" --version)")" -ge 15 ] && return
  done
  return 1
}

# major prints the first number of a version line such as "postgres (PostgreSQL) 15.13".
major() { printf '%s\n' "$1" | sed 's/^[^0-9]*//; s/[^0-9].*//'; }
