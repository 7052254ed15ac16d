# shellcheck shell=bash
# One line per step, and what to do when one fails.

say() { printf '%s %s\n' "$1" "$2" >&2; }

# die WHAT FIX
die() {
  say ✗ "$1"
  printf '  fix: %s\n' "$2" >&2
  exit 1
}

# step WHAT FIX COMMAND...: run a command whose output matters only if it fails.
# A function given as the command must chain with && or ||, since `set -e` is off in it.
step() {
  local what=$1 fix=$2 log spinner='' code=0 started=$SECONDS
  shift 2
  log=$(mktemp)
  if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then
    spin "$what" &
    spinner=$!
  else
    say … "$what"
  fi
  "$@" >"$log" 2>&1 </dev/null || code=$?
  if [ -n "$spinner" ]; then
    kill "$spinner" && wait "$spinner" 2>/dev/null || true
    printf '\r\033[K' >&2
  fi
  if [ "$code" != 0 ]; then
    tail -n 25 "$log" | sed 's/^/  | /' >&2
    rm -f "$log"
    die "$what" "$fix"
  fi
  rm -f "$log"
  say ✓ "$what ($((SECONDS - started)) s)"
}

spin() {
  local started=$SECONDS
  while kill -0 $$ 2>/dev/null; do
    printf '\r… %s (%s s)\033[K' "$1" $((SECONDS - started)) >&2
    sleep 0.5
  done
}
