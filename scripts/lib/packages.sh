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

# unpack_tool COMMAND PATH PACKAGE...: for a command that Debian has in the package of something
# which would be started when it is installed, and stay. So it is taken out of the first of these
# packages that there is, with the libraries that the host lacks, into `program`.
unpack_tool() {
  local command=$1
  if lacks "$command" && [ ! -x "$program/tools/$command" ]; then
    ! lacks apt-get || die "missing: $command" "install it the way this system does"
    as_root true
    step "unpacking $command" "apt-get update && apt-get install --download-only $3" \
      fetch_tool "$@"
  fi
}

fetch_tool() {
  local command=$1 path=$2 place code
  shift 2
  # apt-get gives up root for the download, and has to write there all the same.
  place=$(mktemp -d) && chmod 755 "$place" && mkdir -p "$place/archives/partial" "$place/root" \
    && as_root apt-get update -q \
    && download_one "$place/archives" "$@" \
    && find "$place/archives" -name '*.deb' -exec dpkg-deb --extract '{}' "$place/root" ';' \
    && keep_tool "$place/root" "$command" "$path"
  code=$?
  as_root rm -rf "$place"
  return "$code"
}

# download_one DIRECTORY PACKAGE...
download_one() {
  local place=$1 package
  shift
  for package; do
    ! as_root apt-get install -q -y --reinstall --download-only --no-install-recommends \
      -o "Dir::Cache::archives=$place" "$package" || return 0
  done
  return 1
}

# keep_tool ROOT COMMAND PATH
keep_tool() {
  local root=$1 command=$2 path=$3 own=$program/tools/lib/$2
  rm -rf "$own" \
    && install -D "$root$path" "$own/bin/$command" \
    && find "$root" -name '*.so*' -not -type d -exec cp -a -t "$own" '{}' + \
    && printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$own" "$own/bin/$command" \
      >"$own/run" \
    && chmod 755 "$own/run" \
    && ln -sf "lib/$command/run" "$program/tools/$command"
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
