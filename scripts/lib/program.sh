# shellcheck shell=bash
# SoulBox itself, in a virtual environment, from wheels built from this checkout: the checkout
# may lie where the service's user cannot read, and editing it does not change a running service.

# install_program NAME [pip install's arguments...]: sets `venv`, and skips what is done already.
install_program() {
  venv=$program/$1
  shift
  install_into_venv "$@"
}

# install_release: the same into a directory of its own, beside the one that a service runs from.
install_release() {
  venv=$program/releases/$(fingerprint | cut -c1-16)
  install_into_venv
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
  ln -sfn "$release" "$program/venv"
}

# give_back_release: undo that. Fails if there was none.
give_back_release() {
  case $before in
    "" | "$release") return 1 ;;
    "$program/venv.before") rm "$program/venv" && mv "$before" "$program/venv" ;;
    *) ln -sfn "$before" "$program/venv" ;;
  esac
}

forget_other_releases() {
  rm -rf "$program/venv.before"
  find "$program/releases" -mindepth 1 -maxdepth 1 ! -path "$release" -exec rm -rf {} +
}

install_into_venv() {
  local wanted
  mkdir -p "$program"
  exec {lock}>"$program/.lock"
  flock "$lock"
  wanted=$(fingerprint "$@")
  if [ "$(cat "$venv/.fingerprint" 2>/dev/null)" = "$wanted" ]; then
    say ✓ "SoulBox is installed in $venv"
  else
    rm -f "$venv/.fingerprint"
    step "installing SoulBox into $venv" \
      "check the network, pip.conf and PIP_*, proxy and certificate variables; or rm -r $venv" \
      pip_install "$@"
    printf '%s\n' "$wanted" >"$venv/.fingerprint"
  fi
  exec {lock}>&-
}

# fingerprint: a hash of everything that goes into the environment.
fingerprint() {
  {
    "$python" --version
    printf '%s\n' "$@"
    cd "$checkout"
    find pyproject.toml README.md hatch_build.py proto soulbox_core plugins -type f \
      -not -path '*/__pycache__/*' -not -path '*/tests/*' -not -path 'soulbox_core/rpc/v1/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
  } | sha256sum
}

pip_install() {
  local wheels code
  wheels=$(mktemp -d) && build_and_install "$wheels" "$@"
  code=$?
  rm -rf "$wheels"
  return "$code"
}

build_and_install() {
  local wheels=$1
  shift
  (
    export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1 PIP_USER=0
    # A changed Python leaves an environment that cannot be mended.
    "$venv/bin/python3" -c '' 2>/dev/null || "$python" -m venv --clear "$venv" || exit
    "$venv/bin/python3" -m pip wheel --no-deps --wheel-dir "$wheels" "$checkout" "$checkout"/plugins/*/ \
      && "$venv/bin/python3" -m pip install "$wheels"/*.whl \
      && "$venv/bin/python3" -m pip install --no-deps --force-reinstall "$wheels"/*.whl \
      && if [ $# -gt 0 ]; then "$venv/bin/python3" -m pip install "$@"; fi
  )
}
