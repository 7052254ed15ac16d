# shellcheck shell=bash
# What a host takes to run SoulBox's container image.

# need_for_containers: what Podman takes to publish a container's ports, of root's and of others'.
need_for_containers() {
  need_command slirp4netns
  need_command pasta passt # from Podman 5 on
  [ "$(id -u)" = 0 ] || return 0
  need_command iptables
  need_command nft nftables # of newer netavark
  need_file netavark /usr/lib/podman/netavark /usr/libexec/podman/netavark /usr/lib/cni/bridge
}

# need_rootless_containers: what the service's user takes to run SoulBox's image.
need_rootless_containers() {
  # udev lets anybody make tunnels, through which ports are published.
  as_service test -w /dev/net/tun || as_root chmod 666 /dev/net/tun
  [ "$(as_service podman info --format '{{.Store.GraphDriverName}}')" != overlay ] || return 0
  # Without a word, old Podman copies whole images.
  local file=$service_home/.config/containers/storage.conf
  [ "$(id -u)" = 0 ] || die "Podman's storage driver is not overlay" \
    "podman system reset, and driver = \"overlay\" below [storage] in $file"
  as_service mkdir -p "$(dirname "$file")"
  printf '[storage]\ndriver = "overlay"\n' | as_service tee "$file" >/dev/null
}

# prepare_container TAG COMMAND...: do what the line that runs localhost/soulbox:TAG as whoever
# COMMAND makes it needs of root once after a boot.
prepare_container() {
  local tag=$1 line
  shift
  line=$("$@" sh -s - "localhost/soulbox:$tag" --name soulbox-test --memory 6g \
    <"$checkout/deploy/container/podman-run")
  { echo 'sudo() { "$@"; }' && sed -n '/^set -e$/,/^podman run/ { /^podman run/ !p }' <<<"$line"; } | as_root sh
}
