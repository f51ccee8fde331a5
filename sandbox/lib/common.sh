# shellcheck shell=sh
# What every script of the sandbox shares: its folders, what it says, and how it takes time.
# Sourced with $here set to the folder sandbox/.

checkout=$(dirname "$here")
state=$checkout/.sandbox
cache=${SANDBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pulumi-one-host}
facts=$state/facts

. "$here/versions.sh"

# Our own bin folder is a product of the set-up: what is looked for on PATH is what was there before.
PATH=$(printf %s "$PATH" | tr ':' '\n' | grep -vxF "$state/bin" | tr '\n' ':')
PATH=${PATH%:}
export PATH

say() { printf '    %s\n' "$*"; }
warn() { printf '    ! %s\n' "$*" >&2; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Milliseconds since the epoch; whole seconds where date knows no %N.
now_ms() {
  case $(date +%N) in
    *N*) echo "$(date +%s)000" ;;
    *) date +%s%3N ;;
  esac
}

# Seconds with one digit since a value of now_ms.
seconds_since() {
  tenths=$((($(now_ms) - $1) / 100))
  echo "$((tenths / 10)).$((tenths % 10))"
}

# One name for the content of files and folders, whatever their dates and owners.
content_hash() {
  find "$@" -type f | LC_ALL=C sort | while IFS= read -r file; do
    printf '%s\n' "${file#"$here"}"
    cat "$file"
  done | sha256 | cut -c1-16
}

sha256() {
  if has sha256sum; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1
}

# Writes stdin to a file in one go: a killed run leaves the old content or the new, never a half.
write_file() {
  mkdir -p "$(dirname "$1")"
  cat >"$1.tmp.$$" && mv -f "$1.tmp.$$" "$1"
}

# value_of NAME FILE: from a file of lines NAME=VALUE.
value_of() { sed -n "s/^$1=//p" "$2"; }

# Runs a command for at most so many seconds.
within() {
  limit=$1
  shift
  if has timeout; then timeout -k 5 "$limit" "$@"; else "$@"; fi
}
