# shellcheck shell=bash
# What the jobs of the machine have in common, to be sourced by them in a checkout. A job defines
# `bearer`, which prints an API key.

url=http://localhost:8000
failures=0

say() { printf '\n== %s (%s s)\n' "$*" "$(cut -d' ' -f1 /proc/uptime)"; }

# check WHAT COMMAND...
check() {
  local what=$1
  shift
  if "$@"; then echo "✓ $what"; else
    echo "✗ $what: $*"
    failures=$((failures + 1))
  fi
}

# until_true SECONDS COMMAND...
until_true() {
  local left=$1
  shift
  until "$@"; do
    [ $((left -= 1)) -gt 0 ] || return 1
    sleep 1
  done 2>/dev/null
}

lacks() { ! "$@"; }

ready() { curl -sSf -m 10 -o /tmp/readyz "$url/readyz"; }

# run LANGUAGE [QUERY]: a program from stdin; the answer. The service serves with one language, and
# the others may take long here.
run() {
  until_true 600 ready
  curl -sS -m 300 -H "authorization: Bearer $(bearer)" --data-binary @- \
    "$url/v1/run/$1${2:-}"
}

prints() { # LANGUAGE TEXT
  local answer
  answer=$(run "$1")
  [[ $answer == *"\"status\":\"ok\""*"\"stdout\":\"$2"* ]] || { echo "  $answer" && false; }
}

ends_with() { # STATUS LANGUAGE [QUERY]
  local answer
  answer=$(run "$2" "${3:-}")
  [[ $answer == *"\"status\":\"$1\""* ]] || { echo "  $answer" && false; }
}
