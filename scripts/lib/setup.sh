# shellcheck shell=bash
# What scripts/serve, install, test, lint and soulbox share: sourced, never run.
#
# As root, the service gets a system user of its own and never runs as root. As a normal user it
# runs as that user, and sudo is asked for only where the host itself has to change: packages,
# subordinate ids, cgroup delegation.

set -euo pipefail
umask 022 # what root installs, the service must be able to read

lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
checkout=$(dirname "$(dirname "$lib")")
export checkout

if [ "$(id -u)" = 0 ]; then
  service_user=soulbox
  service_home=/var/lib/soulbox
  program=/opt/soulbox # root's, so that the service cannot change its own code
  state=${SOULBOX_STATE_DIR:-$service_home}
  runtime=/run/soulbox
else
  service_user=$(id -un)
  service_home=$HOME
  program=${XDG_DATA_HOME:-$HOME/.local/share}/soulbox
  state=${SOULBOX_STATE_DIR:-$program}
  runtime=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
  [ -w "$runtime" ] || runtime=$state/run
fi
# Where the scripts put this checkout's program. What an installed service runs from is not touched.
own_venv=$program/venv
[ ! -L "$own_venv" ] || own_venv=$program/venv-checkout
export service_user service_home program state runtime own_venv

# shellcheck source=scripts/lib/say.sh
source "$lib/say.sh"
# shellcheck source=scripts/lib/privilege.sh
source "$lib/privilege.sh"
# shellcheck source=scripts/lib/packages.sh
source "$lib/packages.sh"
# shellcheck source=scripts/lib/user.sh
source "$lib/user.sh"
# shellcheck source=scripts/lib/program.sh
source "$lib/program.sh"
# shellcheck source=scripts/lib/kustomize.sh
source "$lib/kustomize.sh"
# shellcheck source=scripts/lib/cgroups.sh
source "$lib/cgroups.sh"
# shellcheck source=scripts/lib/service.sh
source "$lib/service.sh"
# shellcheck source=scripts/lib/checkout.sh
source "$lib/checkout.sh"
# shellcheck source=scripts/lib/image.sh
source "$lib/image.sh"
# shellcheck source=scripts/lib/container.sh
source "$lib/container.sh"
