# shellcheck shell=bash
# A cgroup subtree that belongs to the service's user: the core makes a leaf for each cell in it.

controllers=(memory pids cpu cpuacct)

# delegate_cgroups SCRIPT ARGUMENT...: on a v2 host with systemd this runs the script again, in a
# scope of its own, with `_soulbox_prepared` set.
delegate_cgroups() {
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    delegate_v1
  elif [ -d /run/systemd/system ]; then
    delegate_scope "$@"
  else
    delegate_v2
  fi
  say ✓ "cgroups are delegated to $service_user"
}

# v1: one directory per controller, which lasts until the host restarts.
delegate_v1() {
  local controller owner name=soulbox missing=() roots=()
  owner=$(stat -c %U /sys/fs/cgroup/memory/soulbox 2>/dev/null || echo "$service_user")
  if [ "$owner" != "$service_user" ]; then
    # The usual place is another user's: take one of our own and tell the core.
    name=soulbox-$service_user
  fi
  for controller in "${controllers[@]}"; do
    [ -d "/sys/fs/cgroup/$controller" ] \
      || die "this kernel has no cgroup controller $controller" \
        "boot with cgroup v2: systemd.unified_cgroup_hierarchy=1 (and cgroup_enable=memory)"
    local directory=/sys/fs/cgroup/$controller/$name
    [ "$name" = soulbox ] || directory+=/$controller
    roots+=("\"$directory\"")
    [ "$(stat -c %U "$directory" 2>/dev/null)" = "$service_user" ] || missing+=("$directory")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    as_root mkdir -p "${missing[@]}"
    as_root chown -R "$service_user:" "${missing[@]}"
  fi
  if [ "$name" != soulbox ]; then
    cgroup_env=("SOULBOX_CGROUP__ROOTS=[$(IFS=, && echo "${roots[*]}")]")
  fi
}

# v2 with systemd: a transient scope with Delegate=yes, around this very process.
delegate_scope() {
  local unit=soulbox-$$ scope
  if [ -z "${_soulbox_prepared:-}" ]; then
    export _soulbox_prepared=1
    if [ "$(id -u)" = 0 ]; then
      exec systemd-run --quiet --scope --unit="$unit" -p Delegate=yes -- "$@"
    fi
    start_user_manager
    exec systemd-run --user --quiet --scope --unit="$unit" -p Delegate=yes -- "$@"
  fi
  scope=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
  give_v2 "$scope"
}

drop_in=/etc/systemd/system/user@$(id -u).service.d/soulbox.conf

# The user's own systemd delegates what it was given: before systemd 252 that was not cpu.
start_user_manager() {
  local uid
  uid=$(id -u)
  export XDG_RUNTIME_DIR=/run/user/$uid
  local manager=/sys/fs/cgroup/user.slice/user-$uid.slice/user@$uid.service
  if [ ! -S "$XDG_RUNTIME_DIR/bus" ]; then
    outlive_log_in
    wait_for test -S "$XDG_RUNTIME_DIR/bus" \
      || die "the systemd of user $service_user does not start" \
        "apt-get install dbus-user-session, then log in again"
  fi
  runtime=$XDG_RUNTIME_DIR
  grep -qw cpu "$manager/cgroup.controllers" && return
  as_root mkdir -p "$(dirname "$drop_in")"
  printf '[Service]\nDelegate=cpu memory pids\n' | as_root tee "$drop_in" >/dev/null
  as_root systemctl daemon-reload
  wait_for grep -qw cpu "$manager/cgroup.controllers" \
    || die "the cpu controller is not delegated to $service_user yet" "log out and in again"
}

# outlive_log_in: have the user's systemd run from boot on.
outlive_log_in() {
  [ "$(loginctl show-user "$service_user" --property=Linger --value 2>/dev/null)" = yes ] && return
  as_root loginctl enable-linger "$service_user"
  touch "$program/.lingers"
}

# undo_user_manager: what of that was not so before.
undo_user_manager() {
  if [ -e "$drop_in" ]; then
    as_root rm "$drop_in"
    as_root rmdir --ignore-fail-on-non-empty "$(dirname "$drop_in")"
    as_root systemctl daemon-reload
  fi
  if [ -e "$program/.lingers" ]; then
    as_root loginctl disable-linger "$service_user"
  fi
}

# v2 without systemd, as in a container: a directory beside whatever runs already.
delegate_v2() {
  local root=/sys/fs/cgroup own=/sys/fs/cgroup/soulbox-$$ old
  for old in "$root"/soulbox-*; do
    [ ! -d "$old" ] || [ -e "/proc/${old##*-}" ] \
      || as_root find "$old" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
  as_root sh -c "echo '+memory +pids +cpu' >$root/cgroup.subtree_control" 2>/dev/null \
    || die "cannot enable the memory, pids and cpu controllers in $root" \
      "move its processes into a child first (no internal processes), or mount cgroup2 writable"
  as_root mkdir -p "$own"
  give_v2 "$own"
  as_root sh -c "echo $$ >$own/cgroup.procs"
}

# give_v2 DIRECTORY: delegation as in the kernel's cgroup-v2.rst: the directory and these files.
give_v2() {
  local file
  [ -O "$1" ] && [ "$(id -u)" != 0 ] && return
  for file in "" /cgroup.procs /cgroup.subtree_control /cgroup.threads; do
    as_root chown "$service_user:" "$1$file"
  done
}

# wait_for COMMAND...: up to ten seconds.
wait_for() {
  local _
  for _ in {1..100}; do
    "$@" 2>/dev/null && return 0
    sleep 0.1
  done
  return 1
}
