# shellcheck shell=bash
# SoulBox itself, in a virtual environment, from wheels built from this checkout: the checkout
# may lie where the service's user cannot read, and editing it does not change a running service.

# install_program NAME [LOCK]: SoulBox and what locks/LOCK.txt lists, which is what it runs with;
# sets `venv`, and skips what is done already.
install_program() {
  install_locked venv-build build
  install_venv "$1" "SoulBox" "${2:-runtime}" hash_sources install_wheels
}

# install_release: the same into a directory of its own, beside the one that a service runs from.
install_release() {
  install_locked venv-build build
  install_venv "releases/$(fingerprint runtime hash_sources | cut -c1-16)" "SoulBox" runtime \
    hash_sources install_wheels
  release=$venv
}

# take_release: have `venv`, which the unit names, lead to it. Sets `before` to where it led.
take_release() {
  before=$(readlink "$program/venv" || true)
  if [ ! -L "$program/venv" ] && [ -d "$program/venv" ]; then
    before=$program/venv.before # of scripts/serve
    rm -rf "$before"
    mv "$program/venv" "$before"
  fi
  lead_to "$release"
}

# lead_to DIRECTORY: at one moment to the next, since systemd may start the service at any.
lead_to() { ln -sfn "$1" "$program/venv.new" && mv -T "$program/venv.new" "$program/venv"; }

# give_back_release: undo that. Fails if there was none.
give_back_release() {
  case $before in
    "" | "$release") return 1 ;;
    "$program/venv.before") rm "$program/venv" && mv "$before" "$program/venv" ;;
    *) lead_to "$before" ;;
  esac
}

forget_other_releases() {
  rm -rf "$program/venv.before"
  find "$program/releases" -mindepth 1 -maxdepth 1 ! -name "${release##*/}" -exec rm -rf {} +
}

# install_locked NAME LOCK: an environment with what locks/LOCK.txt lists, and nothing of ours.
install_locked() { install_venv "$1" "what locks/$2.txt lists" "$2" true true; }

# install_venv NAME WHAT LOCK HASH INSTALL: HASH prints what else makes it another environment, and
# INSTALL puts something more into it.
install_venv() {
  local wanted
  venv=$program/$1
  mkdir -p "$program"
  exec {lock}>"$program/.lock"
  flock "$lock"
  wanted=$(fingerprint "$3" "$4")
  if [ "$(cat "$venv/.fingerprint" 2>/dev/null)" = "$wanted" ]; then
    say ✓ "$2 is installed in $venv"
  else
    rm -f "$venv/.fingerprint"
    step "installing $2 into $venv" \
      "check the network, pip.conf and PIP_*, proxy and certificate variables; or rm -r $venv" \
      fill_venv "$3" "$5"
    printf '%s\n' "$wanted" >"$venv/.fingerprint"
  fi
  exec {lock}>&-
}

# fingerprint LOCK HASH: of everything that goes into an environment.
fingerprint() {
  { "$python" --version && sha256sum <"$checkout/locks/$1.txt" && "$2"; } | sha256sum
}

# fill_venv LOCK INSTALL. Only wheels: a source distribution is built with what no lock lists.
fill_venv() (
  export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1 PIP_USER=0
  # A changed Python leaves an environment that cannot be mended.
  "$venv/bin/python3" -c '' 2>/dev/null || "$python" -m venv --clear "$venv" || exit
  "$venv/bin/python3" -m pip install --require-hashes --only-binary :all: \
    -r "$checkout/locks/$1.txt" \
    && "$2"
)

# hash_sources: of everything that wheels are built from.
hash_sources() (
  cd "$checkout" || exit
  find pyproject.toml README.md hatch_build.py release proto soulbox_core plugins -type f \
    -not -path '*/__pycache__/*' -not -path '*/tests/*' -not -path 'soulbox_core/rpc/v1/*' -print0 \
    | LC_ALL=C sort -z | xargs -0 sha256sum
)

# install_wheels: build ours, and install them into `venv`.
install_wheels() {
  local wheels code
  wheels=$(mktemp -d) \
    && build_distributions "$wheels" wheel \
    && "$venv/bin/python3" -m pip install --no-deps --force-reinstall "$wheels"/*.whl \
    && require_nothing "$wheels"
  code=$?
  rm -rf "$wheels"
  return "$code"
}

# require_nothing WHEELS: the lock listed all that they need, or pip would have to look for it.
require_nothing() {
  PIP_FIND_LINKS='' "$venv/bin/python3" -m pip install --no-index "$1"/*.whl \
    || { echo "locks/ does not list what pyproject.toml asks for: scripts/lock" && return 1; }
}

# build_distributions DIRECTORY KIND...: of the core and each plugin, as wheel and sdist.
build_distributions() {
  source_files "$checkout" \
    | PYTHONPATH=$checkout PYTHONDONTWRITEBYTECODE=1 \
      "$program/venv-build/bin/python3" -m release.distributions "$checkout" "$@"
}

# use_pip_setting NAME VARIABLE: export what pip is set to, by variable or file, to what is not pip.
use_pip_setting() {
  local value
  [ -z "${!2:-}" ] || return 0
  value=$(pip_settings "$venv/bin/python3" | sed -n "s/^$1 //p" | head -n 1)
  [ -z "$value" ] || export "$2=$value"
}

# pip_settings PYTHON...: what pip is set to there, by variable or file, as lines `NAME VALUE...`.
pip_settings() {
  "$@" -m pip config list | "$@" -c 'if True:
    import ast, sys
    for line in sys.stdin:
        key, _, value = line.strip().partition("=")
        section, _, name = key.rpartition(".")
        if section in (":env:", "global", "install"):
            print(name, *ast.literal_eval(value).split())'
}
