# shellcheck shell=bash
# A service that systemd starts, and what is done beside it.

unit=soulbox.service

need_systemd() {
  [ -d /run/systemd/system ] \
    || die "systemd does not run here" "scripts/serve, which runs the service in the foreground"
  [ -z "${SOULBOX_STATE_DIR:-}" ] \
    || die "an installed service keeps its state in $service_home" "unset SOULBOX_STATE_DIR"
}

# installed_settings: what is done for a service that was installed goes by its settings.
installed_settings() {
  local file=/etc/soulbox/soulbox.toml
  [ "$(id -u)" = 0 ] || file=${XDG_CONFIG_HOME:-$HOME/.config}/soulbox/soulbox.toml
  if [ -z "${SOULBOX_CONFIG:-}" ] && [ -e "$file" ]; then
    export SOULBOX_CONFIG=$file
  fi
}

# beside_service COMMAND...: as the service's user, and without Podman's pause process staying:
# the unit's containers would then see the host as that does, and not as the unit may.
beside_service() {
  local code=0
  [ "$(id -u)" != 0 ] || install -d -o "$service_user" -g "$service_user" -m 700 "$runtime"
  as_service "$@" || code=$?
  [ "$(id -u)" != 0 ] || end_pause_process
  return "$code"
}

# end_pause_process: unless it is the running service's.
end_pause_process() {
  local pid file=$runtime/libpod/tmp/pause.pid
  pid=$(cat "$file" 2>/dev/null) || return 0
  if [ "$(stat -c %U "/proc/$pid" 2>/dev/null)" = "$service_user" ] \
    && ! grep -q "/$unit" "/proc/$pid/cgroup"; then
    # By its owner: the file is that user's, and could name another's. By the shell: /bin/kill is in a
    # package that not every host has.
    # shellcheck disable=SC2016 # expanded by the shell that is named
    as_service sh -c 'kill -KILL "$1"' sh "$pid" && rm -f "$file" # Podman 4.3 does not get over one that is gone
  fi
}
