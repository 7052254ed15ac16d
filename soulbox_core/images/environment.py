"""Which variables reach the tools that build images.

The tools fetch from the registries of Debian and of the languages, and must use the operator's own
proxies, mirrors and certificates; nothing else of the caller's environment is their business.
"""

import os
import re
from collections.abc import Mapping

from soulbox_core.certificates import IN_IMAGE, VARIABLES
from soulbox_core.sandbox.podman_env import podman_environment
from soulbox_core.settings import Settings

_PASSED = re.compile(
    r"PIP_[A-Z0-9_]+|NETRC"
    r"|(HTTP|HTTPS|FTP|ALL|NO)_PROXY"
    r"|SSL_CERT_DIR|" + "|".join(VARIABLES) +
    # npm takes any setting so; those that say where to put things are not for here.
    r"|NPM_CONFIG_(REGISTRY|@.+|//.+|_AUTH.*|(HTTPS?[-_])?PROXY|NOPROXY|CA|CERT|KEY"
    r"|STRICT[-_]SSL|FETCH[-_].+|MAXSOCKETS)|NPM_TOKEN|NODE_AUTH_TOKEN"
    r"|GO(PROXY|NOPROXY|SUMDB|NOSUMDB|PRIVATE|INSECURE|AUTH|VCS)"
    r"|CARGO_(HTTP|NET|REGISTRY|REGISTRIES|SOURCE)_.+"
    r"|MAVEN_(OPTS|ARGS)",
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
_OF_THE_HOST = frozenset({"SSL_CERT_DIR", "NETRC", "PIP_CONFIG_FILE", "PIP_CLIENT_CERT"})
"""They name files and directories of the host, which an image's setup does not see."""
_IN_SETUP = {
    "HOME": "/root",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    # What they print goes into a progress line and an error message.
    "TERM": "dumb",
    "NO_COLOR": "1",
    # Every client is told of the certificates, for some bring a bundle of their own.
    **dict.fromkeys(VARIABLES, IN_IMAGE),
}


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


def setup_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of the command lines that run in an image while it is built."""
    fixed = {name.upper() for name in _IN_SETUP} | _OF_THE_HOST
    chosen = {
        name: value for name, value in passed_through(environ).items() if name.upper() not in fixed
    }
    return {**chosen, **_IN_SETUP}
