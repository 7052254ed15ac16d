# shellcheck shell=bash
# SoulBox's own container image, built without a container registry.

debian=docker.io/library/debian:trixie-slim
image_store=localhost/soulbox-store

# build_image VENV TAG COMMAND... -- [LANGUAGE...]: build localhost/soulbox:TAG with these
# languages' images in it, all if none is named, by the SoulBox in a virtual environment.
# COMMAND... runs podman as whose image it shall be: `env`, or `as_service`.
build_image() (
  venv=$1 tag=$2 podman=() beside=as_service
  shift 2
  while [ "$1" != -- ]; do podman+=("$1") && shift; done
  shift
  named() {
    "${podman[@]}" podman image inspect --format '{{.Id}}' "localhost/soulbox:$tag" 2>/dev/null || true
  }
  # What is built from belongs to who builds: the service's user must not change what root runs.
  work=$("${podman[@]}" mktemp -d /var/tmp/soulbox-image.XXXXXX)
  baked=$(as_service mktemp -d /var/tmp/soulbox-image.XXXXXX)
  trap 'rm -rf "$work" "$baked"' EXIT
  need_base_image "$venv" "$work" "${podman[@]}"

  [ ! -e "/etc/systemd/system/$unit" ] || beside=beside_service
  "$beside" "$venv/bin/soulbox" images build "$@"
  "$beside" "$venv/bin/soulbox" images bake "$baked/store.tar" "$@"
  step "importing the languages' images" "podman info" \
    "${podman[@]}" podman import --quiet "$baked/store.tar" "$image_store:$tag"
  rm "$baked/store.tar"

  "${podman[@]}" mkdir "$work/source"
  source_files "$checkout" | tar -C "$checkout" --null -T - -c \
    | "${podman[@]}" tar -C "$work/source" -x
  registries_for_build "$venv" | "${podman[@]}" tee "$work/pip.conf" >/dev/null
  authorities "$venv" | "${podman[@]}" tee "$work/authorities.pem" >/dev/null
  before=$(named)
  # chroot isolation needs no OCI runtime, and the network is the builder's.
  step "building localhost/soulbox:$tag" "check the network and pip's settings, then run it again" \
    "${podman[@]}" podman build --isolation=chroot --network=host --pull=never --format=docker \
    --build-arg="IMAGES=$image_store:$tag" \
    --secret="id=pip.conf,src=$work/pip.conf" \
    --secret="id=ca-certificates,src=$work/authorities.pem" --tag="localhost/soulbox:$tag" \
    "$work/source"
  "${podman[@]}" podman rmi "$image_store:$tag" >/dev/null 2>&1 || true
  # The one before has no name any more. Podman keeps it while a container runs it.
  case $(named) in
    "$before") ;;
    *) "${podman[@]}" podman rmi "$before" >/dev/null 2>&1 || true ;;
  esac
)

# need_base_image VENV WORK COMMAND...: Debian's own image, or one made of its packages; again once
# it is a month old, for Debian's updates.
need_base_image() {
  local venv=$1 work=$2 made sources
  shift 2
  made=$("$@" podman image inspect --format '{{.Created.Unix}}' "$debian" 2>/dev/null) || made=0
  if [ "$made" -gt "$(date --date='30 days ago' +%s)" ] \
    || "$@" timeout 60 podman pull --quiet "$debian" >/dev/null 2>&1; then
    return
  fi
  sources=$(as_service "$venv/bin/python3" -c 'if True:
    import os
    from soulbox_core import settings
    print(*settings.load(env=os.environ).images.sources, sep="\n")') || return
  mapfile -t sources < <(printf '%s' "$sources")
  # By the usual name, so that a Containerfile without arguments finds it too.
  step "making $debian of packages, for want of a registry" "check the network and the proxies" \
    "$@" env TMPDIR=/var/tmp mmdebstrap --variant=minbase --include=ca-certificates trixie \
    "$work/base.tar" "${sources[@]}"
  step "importing it" "podman info" "$@" podman import --quiet "$work/base.tar" "$debian"
  rm "$work/base.tar"
}

# registries_for_build VENV: pip's settings of who builds, as a pip.conf; what names files stays out.
registries_for_build() {
  echo "[global]"
  pip_settings as_service "$1/bin/python3" \
    | sed -nE 's/^(index-url|extra-index-url|trusted-host|proxy|timeout|retries) /\1 = /p' \
    | sort -u -t= -k1,1
}

# authorities VENV: the certificates by which registries are trusted here, as PEM.
authorities() {
  as_service "$1/bin/python3" -c 'if True:
    import os, sys
    from soulbox_core import certificates
    sys.stdout.buffer.write(certificates.bundle(os.environ))'
}
