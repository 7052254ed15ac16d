# shellcheck shell=bash
# The user that the service runs as, its subordinate ids and its directories.

make_user() {
  if [ "$(id -u)" = 0 ]; then
    id "$service_user" >/dev/null 2>&1 \
      || step "making the user $service_user" "useradd --system $service_user" \
        useradd --system --user-group --no-create-home --home-dir "$service_home" \
        --shell /usr/sbin/nologin "$service_user"
    install -d -o "$service_user" -g "$service_user" -m 750 "$service_home" "$state"
    install -d -o "$service_user" -g "$service_user" -m 700 "$runtime"
  else
    mkdir -p "$state" "$program"
    [ -d "$runtime" ] || mkdir -m 700 -p "$runtime"
  fi
  grant_ids /etc/subuid --add-subuids
  grant_ids /etc/subgid --add-subgids
  say ✓ "runs as $service_user, keeps its state in $state"
}

# grant_ids FILE OPTION: 65536 subordinate ids that nobody else has.
grant_ids() {
  local first
  if awk -F: -v user="$service_user" -v uid="$(id -u "$service_user")" \
    '($1 == user || $1 == uid) && $3 >= 65536 { found = 1 } END { exit !found }' "$1" 2>/dev/null; then
    return
  fi
  first=$(cat /etc/subuid /etc/subgid 2>/dev/null \
    | awk -F: 'BEGIN { next_id = 100000 } $2 + $3 > next_id { next_id = $2 + $3 } END { print next_id }')
  as_root true
  step "giving $service_user 65536 ids in $1" \
    "usermod $2 $first-$((first + 65535)) $service_user" \
    as_root usermod "$2" "$first-$((first + 65535))" "$service_user"
}
