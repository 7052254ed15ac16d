# shellcheck shell=bash
# SoulBox's own container image, built without a container registry.

base_image=docker.io/library/debian:trixie-slim
image_store=localhost/soulbox-store

# build_image VENV TAG COMMAND... -- [LANGUAGE...]: build localhost/soulbox:TAG with these
# languages' images in it, all if none is named, by the SoulBox in a virtual environment.
# COMMAND... runs podman as whose image it shall be: `env`, or `as_service`.
build_image() {
  local venv=$1 tag=$2 work
  shift 2
  local podman=()
  while [ "$1" != -- ]; do podman+=("$1") && shift; done
  shift
  work=$(as_service mktemp -d /var/tmp/soulbox-image.XXXXXX)
  # shellcheck disable=SC2064 # the directory of now
  trap "rm -rf '$work'" RETURN
  need_base_image "$work" "${podman[@]}"

  as_service "$venv/bin/soulbox" images build "$@"
  as_service "$venv/bin/soulbox" images bake "$work/store.tar" "$@"
  step "importing the languages' images" "podman info" \
    "${podman[@]}" podman import --quiet "$work/store.tar" "$image_store:$tag"
  rm "$work/store.tar"

  as_service mkdir "$work/source"
  source_files "$checkout" | tar -C "$checkout" --null -T - -c | as_service tar -C "$work/source" -x
  registries_for_build "$venv" | as_service tee "$work/pip.conf" >/dev/null
  authorities "$venv" | as_service tee "$work/authorities.pem" >/dev/null
  # chroot isolation needs no OCI runtime, and the network is the builder's.
  step "building localhost/soulbox:$tag" "check the network and pip's settings, then run it again" \
    "${podman[@]}" podman build --isolation=chroot --network=host --pull=never --format=docker \
    --build-arg="IMAGES=$image_store:$tag" --secret="id=pip.conf,src=$work/pip.conf" \
    --secret="id=ca-certificates,src=$work/authorities.pem" --tag="localhost/soulbox:$tag" \
    "$work/source"
  "${podman[@]}" podman rmi "$image_store:$tag" >/dev/null 2>&1 || true
}

# need_base_image WORK COMMAND...: Debian's own image, or one made of Debian's packages.
need_base_image() {
  local work=$1
  shift
  if "$@" podman image exists "$base_image" 2>/dev/null \
    || "$@" timeout 60 podman pull --quiet "$base_image" >/dev/null 2>&1; then
    return
  fi
  step "making $base_image of packages, for want of a registry" "check the network and the proxies" \
    as_service env TMPDIR=/var/tmp mmdebstrap --mode=unshare --variant=minbase \
    --include=ca-certificates trixie "$work/base.tar"
  step "importing it" "podman info" "$@" podman import --quiet "$work/base.tar" "$base_image"
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
