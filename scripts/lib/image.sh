# shellcheck shell=bash
# SoulBox's own container image, built without a container registry.

debian=docker.io/library/debian:trixie-slim
image_store=localhost/soulbox-store

# build_image VENV TAG COMMAND... -- [LANGUAGE...]: build localhost/soulbox:TAG with these
# languages' images in it, all if none is named, by the SoulBox in a virtual environment.
# COMMAND... runs podman as whose image it shall be: `env`, or `as_service`.
build_image() (
  venv=$1 tag=$2 podman=()
  shift 2
  while [ "$1" != -- ]; do podman+=("$1") && shift; done
  shift
  # What is built from belongs to who builds: the service's user must not change what root runs.
  work=$("${podman[@]}" mktemp -d /var/tmp/soulbox-image.XXXXXX)
  baked=$(as_service mktemp -d /var/tmp/soulbox-image.XXXXXX)
  trap 'rm -rf "$work" "$baked"' EXIT
  need_base_image "$work" "${podman[@]}"

  as_service "$venv/bin/soulbox" images build "$@"
  as_service "$venv/bin/soulbox" images bake "$baked/store.tar" "$@"
  step "importing the languages' images" "podman info" \
    "${podman[@]}" podman import --quiet "$baked/store.tar" "$image_store:$tag"
  rm "$baked/store.tar"

  "${podman[@]}" mkdir "$work/source"
  source_files "$checkout" | tar -C "$checkout" --null -T - -c \
    | "${podman[@]}" tar -C "$work/source" -x
  registries_for_build "$venv" | "${podman[@]}" tee "$work/pip.conf" >/dev/null
  authorities "$venv" | "${podman[@]}" tee "$work/authorities.pem" >/dev/null
  # chroot isolation needs no OCI runtime, and the network is the builder's.
  step "building localhost/soulbox:$tag" "check the network and pip's settings, then run it again" \
    "${podman[@]}" podman build --isolation=chroot --network=host --pull=never --format=docker \
    --build-arg="IMAGES=$image_store:$tag" \
    --secret="id=pip.conf,src=$work/pip.conf" \
    --secret="id=ca-certificates,src=$work/authorities.pem" --tag="localhost/soulbox:$tag" \
    "$work/source"
  "${podman[@]}" podman rmi "$image_store:$tag" >/dev/null 2>&1 || true
)

# need_base_image WORK COMMAND...: Debian's own image, or one made of its packages.
need_base_image() {
  local work=$1
  shift
  if "$@" podman image exists "$debian" 2>/dev/null \
    || "$@" timeout 60 podman pull --quiet "$debian" >/dev/null 2>&1; then
    return
  fi
  # By the usual name, so that a Containerfile without arguments finds it too.
  step "making $debian of packages, for want of a registry" "check the network and the proxies" \
    "$@" env TMPDIR=/var/tmp mmdebstrap --variant=minbase --include=ca-certificates trixie \
    "$work/base.tar"
  step "importing it" "podman info" "$@" podman import --quiet "$work/base.tar" "$debian"
  rm "$work/base.tar"
}

# registries_for_build VENV: pip's settings of who builds, as a pip.conf; what names files stays out.
registries_for_build() {
  echo "[global]"
  as_service "$1/bin/pip" config list \
    | sed -nE "s/^(global|:env:)\.(index-url|extra-index-url|trusted-host|proxy|timeout|retries)='(.*)'$/\2 = \3/p" \
    | sort -u -t= -k1,1
}

# authorities VENV: the certificates by which registries are trusted here, as PEM.
authorities() {
  as_service "$1/bin/python3" -c 'if True:
    import os, sys
    from soulbox_core import certificates
    sys.stdout.buffer.write(certificates.bundle(os.environ))'
}

# need_for_containers: what Podman takes to publish a container's ports, of root's and of others'.
need_for_containers() {
  need_command slirp4netns
  [ "$(id -u)" = 0 ] || return 0
  need_command iptables
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
