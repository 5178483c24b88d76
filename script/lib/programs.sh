# shellcheck shell=bash
# Which programs are needed in which version, and whether this machine has them. The versions are in versions/supported.txt.

# oldest NAME prints the version of a runtime that is needed.
oldest() { awk -v name="$1" 'tolower($1) == name { print $2 }' "$root/versions/supported.txt"; }

# at_least VERSION OLDEST compares number by number.
at_least() { [ -n "$1" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

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
      node) echo "  Node $(oldest node) or newer as \`node\`; found $(found node --version)" ;;
      postgresql) echo "  PostgreSQL $(oldest postgresql) or newer: the server's programs initdb and postgres; or set DATABASE_URL" ;;
      python) echo "  Python $(oldest python) or newer as \`python3\`; found $(found python3 --version)" ;;
      ruby) echo "  Ruby $(oldest ruby) or newer as \`ruby\`; found $(found ruby --version)" ;;
    esac
  done
}

found() {
  command -v "$1" >/dev/null || { echo none && return; }
  "$@" 2>&1 | head -n 1
}

has_gcc() { command -v gcc || command -v clang; }

has_node() { at_least "$(node -p process.versions.node)" "$(oldest node)"; }

has_python() { at_least "$(python3 -c 'import platform; print(platform.python_version())')" "$(oldest python)"; }

has_ruby() { at_least "$(ruby -e 'print RUBY_VERSION')" "$(oldest ruby)"; }

has_rails() { ruby -e 'require "logger"; require "rails"; require "active_record"; require "pg"'; }

# The worker looks in the same places: see sql/devdb.
has_postgresql() {
  local folder
  for folder in "$(dirname "$(command -v initdb || echo /nowhere/initdb)")" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
    /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin /usr/local/pgsql/bin; do
    [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] || continue
    at_least "$(first_version "$("$folder/postgres" --version)")" "$(oldest postgresql)" && return
  done
  return 1
}

# first_version prints the 15.13 of a version line such as "postgres (PostgreSQL) 15.13 (Debian 15.13-0)".
first_version() { printf '%s\n' "$1" | sed 's/^[^0-9]*//; s/[^0-9.].*//'; }
