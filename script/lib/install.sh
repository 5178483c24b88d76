# shellcheck shell=bash
# Installs programs through the system's package manager: apt, dnf or brew.

# install_programs NAME… (of programs.sh)
install_programs() {
  if command -v apt-get >/dev/null; then
    install_with_apt "$@"
  elif command -v dnf >/dev/null; then
    install_with_dnf "$@"
  elif command -v brew >/dev/null; then
    install_with_brew "$@"
  else
    say "no apt, dnf or brew here; please install:"
    explain "$*" >&2
    exit 1
  fi
}

# as_root COMMAND… runs it as root, through sudo where we are somebody else.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "this needs root and there is no sudo; please run as root: $*"
  fi
}

how() { [ "$(id -u)" = 0 ] || echo " (with sudo)"; }

install_with_apt() {
  local packages=() program
  for program in "$@"; do
    case $program in
      gcc) packages+=(gcc libc6-dev) ;;
      node) packages+=(nodejs) ;;
      python) packages+=(python3) ;;
      *) packages+=("$program") ;;
    esac
  done
  say "installing with apt-get$(how): ${packages[*]}"
  as_root bash "$root/script/lib/apt-install" "${packages[@]}" || fail "apt-get could not install: ${packages[*]}"
}

install_with_dnf() {
  local packages=() program
  for program in "$@"; do
    case $program in
      gcc) packages+=(gcc glibc-devel) ;;
      node) packages+=(nodejs) ;;
      postgresql) packages+=(postgresql-server) ;;
      python) packages+=(python3) ;;
      *) packages+=("$program") ;;
    esac
  done
  enable_streams "$@"
  say "installing with dnf$(how): ${packages[*]}"
  as_root dnf install -y -q "${packages[@]}" || fail "dnf could not install: ${packages[*]}"
}

# enable_streams chooses newer streams of what Enterprise Linux 8 and 9 ship too old by default. A stream that somebody
# has chosen already stays.
enable_streams() {
  local program streams=()
  grep -qs -E '^PLATFORM_ID="platform:el(8|9)"' /etc/os-release || return 0
  for program in "$@"; do
    case $program in
      node) streams+=(nodejs:20) ;;
      postgresql) streams+=(postgresql:16) ;;
      ruby) streams+=(ruby:3.3) ;;
    esac
  done
  local stream
  for stream in ${streams[@]+"${streams[@]}"}; do
    dnf -q module list --enabled "${stream%%:*}" >/dev/null 2>&1 && continue
    say "enabling the dnf module $stream$(how)"
    as_root dnf module enable -y -q "$stream" || fail "dnf could not enable the module $stream"
  done
}

# Homebrew keeps some of these beside the system's own; this run finds them, later shells as brew's advice says.
install_with_brew() {
  local formulas=() formula program
  for program in "$@"; do
    case $program in
      gcc) fail "the race detector needs a C compiler: xcode-select --install" ;;
      postgresql) formulas+=(postgresql@17) ;;
      *) formulas+=("$program") ;;
    esac
  done
  say "installing with brew: ${formulas[*]}"
  brew install --quiet "${formulas[@]}" || fail "brew could not install: ${formulas[*]}"
  for formula in "${formulas[@]}"; do
    PATH=$(brew --prefix "$formula")/bin:$PATH
  done
}
