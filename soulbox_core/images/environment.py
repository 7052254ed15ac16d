"""Which variables reach the tools that build images.

The tools fetch from Debian's and Python's registries and must use the operator's own proxies,
indexes and certificates; nothing else of the caller's environment is their business.
"""

import os
import re
from collections.abc import Mapping

from soulbox_core.sandbox.podman_env import podman_environment
from soulbox_core.settings import Settings

_PASSED = re.compile(
    r"PIP_[A-Z0-9_]+|NETRC"
    r"|(HTTP|HTTPS|FTP|ALL|NO)_PROXY"
    r"|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE",
    re.IGNORECASE,
)
_FIXED = {
    # Ours to decide, whatever the caller's environment or pip.conf says.
    "PIP_USER": "0",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "LC_ALL": "C.UTF-8",
    # mmdebstrap's tree must be reachable for subordinate uids, and may not fit in a tmpfs.
    "TMPDIR": "/var/tmp",  # noqa: S108 - only mkdtemp(3) and its like are used in it
}
_DROPPED = frozenset(
    {"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_REQUIREMENT"}
)
"""They would send the packages elsewhere, or bring others."""


def passed_through(environ: Mapping[str, str]) -> dict[str, str]:
    """Choose the variables about registries, proxies and certificates."""
    return {
        name: value
        for name, value in environ.items()
        if _PASSED.fullmatch(name) and name.upper() not in _DROPPED
    }


def build_environment(
    settings: Settings, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """The whole environment of a build tool: Podman's, the chosen variables and what we fix.

    :raises HostError: the state directory cannot be written
    """
    return {
        **podman_environment(settings),
        **passed_through(environ),
        **_FIXED,
        "TMPDIR": environ.get("TMPDIR", _FIXED["TMPDIR"]),
    }
