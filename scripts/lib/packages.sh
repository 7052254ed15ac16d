# shellcheck shell=bash
# Debian packages, installed only if what they bring is missing.

missing_packages=()

# need_command COMMAND [PACKAGE]
need_command() { ! lacks "$1" || missing_packages+=("${2:-$1}"); }

# need_file PACKAGE FILE...: one of the files is enough.
need_file() {
  local package=$1 file
  shift
  for file in "$@"; do [ ! -e "$file" ] || return 0; done
  missing_packages+=("$package")
}

need_python() { find_python || missing_packages+=(python3 python3-venv); }

# need_for_serving: everything that building images and running cells takes.
need_for_serving() {
  need_python
  need_command podman
  need_command newuidmap uidmap
  need_command mmdebstrap
  need_command setpriv util-linux
  # crun refuses a host with cgroup v1 or with both versions.
  if [ -e /sys/fs/cgroup/cgroup.controllers ] && lacks runc; then
    need_command crun
  else
    need_command runc
  fi
  need_file golang-github-containers-common \
    /usr/share/containers/seccomp.json /etc/containers/seccomp.json
  need_file debian-archive-keyring /usr/share/keyrings/debian-archive-keyring.gpg
  need_file ca-certificates /etc/ssl/certs/ca-certificates.crt
  [[ $(/sbin/ldconfig -p) == *libseccomp.so.2* ]] || missing_packages+=(libseccomp2)
}

install_missing_packages() {
  if [ "${#missing_packages[@]}" = 0 ]; then
    say ✓ "packages are there"
    return
  fi
  if lacks apt-get; then
    die "missing: ${missing_packages[*]}" "install them the way this system does"
  fi
  as_root true
  step "installing ${missing_packages[*]}" \
    "apt-get update && apt-get install ${missing_packages[*]}" apt_install
  find_python || die "no Python from 3.11 on, with venv" \
    "apt-get install python3.11-venv (or a newer one), or a newer Debian or Ubuntu"
}

apt_install() {
  as_root apt-get update -q \
    && as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -q -y --no-install-recommends "${missing_packages[@]}"
}

# install_promtool: before Debian 13 it is in the package of Prometheus, which would start one that
# stays; so it is taken out of its package, into `program`.
install_promtool() {
  if lacks promtool && [ ! -x "$program/tools/promtool" ]; then
    ! lacks apt-get || die "missing: promtool" "install it the way this system does"
    as_root true
    step "fetching promtool" "apt-get update && apt-get download promtool (or prometheus)" fetch_promtool
  fi
}

fetch_promtool() {
  local place code
  place=$(mktemp -d) \
    && as_root apt-get update -q \
    && (
      cd "$place" && { apt-get download -q promtool || apt-get download -q prometheus; } \
        && dpkg-deb --extract prom*.deb .
    ) \
    && install -D "$place/usr/bin/promtool" "$program/tools/promtool"
  code=$?
  rm -rf "$place"
  return "$code"
}

lacks() { [ -z "$(PATH=$PATH:/usr/sbin:/sbin type -P "$1")" ]; }

# find_python: set `python` to the system's Python; one from a home directory is not for others.
find_python() {
  for python in /usr/bin/python3 /usr/bin/python3.1[1-9]; do
    if "$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      return 0
    fi
  done
  return 1
}
