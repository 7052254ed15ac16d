# shellcheck shell=bash
# Going up for what changes the host, and down for everything that serves.

# as_root COMMAND...
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    # Ask for the password here: a step's output is hidden, and so would be the question.
    sudo -n true 2>/dev/null || sudo -v -p 'password of %u, to change this host: '
    sudo -- "$@"
  else
    die "this needs root, and there is no sudo: $*" "run that command as root, then this script again"
  fi
}

# environment [registries]: fill `clean_env`, the whole environment of what runs as the service.
# Proxies, indexes and certificates are for fetching packages, never for the service itself.
environment() {
  local name pattern='^SOULBOX_|^(NO_COLOR|COLUMNS)$'
  if [ "${1:-}" = registries ]; then
    pattern+='|^(PIP_[A-Z0-9_]*|NETRC|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE)$'
    pattern+='|^([a-z]+_proxy|[A-Z]+_PROXY)$'
    pattern+='|^(NODE_EXTRA_CA_CERTS|NPM_TOKEN|NODE_AUTH_TOKEN|(npm_config|NPM_CONFIG)_[A-Za-z_]+)$'
    pattern+='|^GO(PROXY|NOPROXY|SUMDB|NOSUMDB|PRIVATE|INSECURE|AUTH|VCS)$'
    pattern+='|^(CARGO_(HTTP|NET|REGISTRY|REGISTRIES|SOURCE)_[A-Z0-9_]+|MAVEN_(OPTS|ARGS)|GIT_SSL_CAINFO)$'
  fi
  clean_env=(
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    "HOME=$service_home" "USER=$service_user" "LOGNAME=$service_user"
    "LANG=C.UTF-8" "TERM=${TERM:-dumb}" "XDG_RUNTIME_DIR=$runtime"
  )
  for name in $(compgen -e | grep -E "$pattern"); do
    clean_env+=("$name=${!name}")
  done
  clean_env+=("SOULBOX_STATE_DIR=$state" "${cgroup_env[@]}")
}

# exec_as_service COMMAND...: become the command, as the service's user, in `clean_env`.
exec_as_service() {
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid "$service_user" --regid "$service_user" --init-groups \
      env -i "${clean_env[@]}" "$@"
  fi
  exec env -i "${clean_env[@]}" "$@"
}

# as_service COMMAND...
as_service() { (exec_as_service "$@"); }

# leave_private_directory: a working directory that the service's user cannot enter breaks Podman.
leave_private_directory() { as_service test -x "$PWD" || cd /; }

cgroup_env=()
