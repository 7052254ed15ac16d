# shellcheck shell=bash
# What is in this checkout.

# source_files DIRECTORY: the names of its files, NUL-separated, without what git ignores.
source_files() (
  cd "$1"
  if [ -e .git ]; then
    git -c safe.directory="$1" ls-files -z --cached --others --exclude-standard \
      | while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done
  else
    find . -type f -not -path '*/__pycache__/*' -print0
  fi
)

# prepare_tests COMMAND ARGUMENT...: set the host up for a command that runs from the checkout,
# and go to a copy of it that the service's user can read and write, removed at the end.
prepare_tests() {
  if [ -z "${_soulbox_prepared:-}" ]; then
    need_for_serving
    need_command redis-server
    need_command git
    need_command systemd-analyze systemd # judges the unit; nothing is started
    install_missing_packages
    unpack_tool promtool /usr/bin/promtool promtool prometheus
    unpack_tool haproxy /usr/sbin/haproxy haproxy
    make_user
    install_program venv-dev dev
    install_kustomize
  fi
  delegate_cgroups "$@"

  environment registries
  cd /
  as_service "$program/venv-dev/bin/soulbox" images build

  # The checkout may be unreadable for the service's user, and tests leave files behind.
  copy=$(as_service mktemp -d /var/tmp/soulbox-test.XXXXXX)
  trap 'rm -rf "$copy"' EXIT
  source_files "$checkout" | tar -C "$checkout" --null -T - -c | as_service tar -C "$copy" -x

  # Tests build an image too; what they serve is on loopback, where no proxy leads.
  export no_proxy="${no_proxy:+$no_proxy,}localhost,127.0.0.1"
  export NO_PROXY=$no_proxy
  environment registries
  clean_env=("${clean_env[@]/#PATH=/PATH=$program/tools:}")
  cd "$copy"
  as_service "$program/venv-dev/bin/python3" proto/generate.py
}
