"""Build tools get what they need to reach the registries, and nothing else of the caller's."""

from pathlib import Path

import pytest

from soulbox_core.certificates import IN_IMAGE, VARIABLES
from soulbox_core.images.environment import (
    build_environment,
    passed_through,
    setup_environment,
)
from soulbox_core.settings import Settings


@pytest.mark.parametrize(
    "name",
    [
        "PIP_INDEX_URL",
        "PIP_EXTRA_INDEX_URL",
        "PIP_CERT",
        "PIP_FIND_LINKS",
        "PIP_CONFIG_FILE",
        "NETRC",
        "http_proxy",
        "HTTPS_PROXY",
        "no_proxy",
        "ALL_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "NPM_CONFIG_REGISTRY",
        "npm_config_registry",
        "npm_config_@mine:registry",
        "npm_config_//registry.example/:_authToken",
        "npm_config_https_proxy",
        "npm_config_noproxy",
        "npm_config_strict_ssl",
        "npm_config_cafile",
        "NPM_TOKEN",
        "GOPROXY",
        "GONOSUMDB",
        "GOPRIVATE",
        "CARGO_HTTP_CAINFO",
        "CARGO_NET_OFFLINE",
        "CARGO_REGISTRIES_MINE_INDEX",
        "CARGO_SOURCE_CRATES_IO_REPLACE_WITH",
        "MAVEN_OPTS",
        "MAVEN_ARGS",
    ],
)
def test_what_leads_to_the_registries_is_passed_through(name: str) -> None:
    assert passed_through({name: "value"}) == {name: "value"}


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "GITHUB_TOKEN",
        "LD_PRELOAD",
        "PYTHONPATH",
        "PYTHONHOME",
        "SOULBOX_SERVER__PORT",
        "MY_HTTP_PROXY_PASSWORD",
        "XPIP_INDEX_URL",
        # These would put the packages elsewhere, or bring others.
        "PIP_TARGET",
        "PIP_PREFIX",
        "PIP_ROOT",
        "PIP_PYTHON",
        "PIP_DRY_RUN",
        "PIP_REQUIREMENT",
        "npm_config_prefix",
        "npm_config_cache",
        "npm_config_userconfig",
        "npm_config_global",
        "npm_config_omit",
        "CARGO_HOME",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET",
        "GOFLAGS",
        "GOPATH",
        "GOCACHE",
        "JAVA_HOME",
        "NODE_OPTIONS",
    ],
)
def test_everything_else_stays_behind(name: str) -> None:
    assert passed_through({name: "value"}) == {}


def test_settings_of_pip_that_would_break_the_build_are_overruled(tmp_path: Path) -> None:
    settings = Settings(state_dir=str(tmp_path))
    env = build_environment(settings, {"PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1"})
    assert (env["PIP_USER"], env["PIP_REQUIRE_VIRTUALENV"]) == ("0", "0")


def test_podman_is_pointed_at_the_state_directory(tmp_path: Path) -> None:
    env = build_environment(Settings(state_dir=str(tmp_path)), {})
    assert env["CONTAINERS_STORAGE_CONF"].startswith(f"{tmp_path}/")
    assert env["CONTAINERS_CONF"].startswith(f"{tmp_path}/")


def test_the_callers_temporary_directory_wins_over_ours(tmp_path: Path) -> None:
    settings = Settings(state_dir=str(tmp_path))
    assert build_environment(settings, {"TMPDIR": "/elsewhere"})["TMPDIR"] == "/elsewhere"
    assert build_environment(settings, {})["TMPDIR"] == "/var/tmp"


def test_a_setup_is_told_of_the_registries_but_not_of_the_hosts_files() -> None:
    hosts = (
        "SSL_CERT_DIR",
        "NETRC",
        "PIP_CONFIG_FILE",
        "HOME",
        "PATH",
        "TMPDIR",
        "XDG_RUNTIME_DIR",
    )
    environ = {"GOPROXY": "proxy", "https_proxy": "proxy", **dict.fromkeys(hosts, "/host")}
    env = setup_environment(environ)
    assert (env["GOPROXY"], env["https_proxy"], env["HOME"]) == ("proxy", "proxy", "/root")
    assert "/host" not in env.values()


@pytest.mark.parametrize("name", [*VARIABLES, "npm_config_cafile"])
def test_a_setup_finds_all_certificates_in_the_images_own_place(name: str) -> None:
    env = setup_environment({name: "/host"})
    assert "/host" not in env.values()
    assert {env[variable] for variable in VARIABLES} == {IN_IMAGE}
