"""From the sources to one object, and what is said of a source that is wrong."""

from pathlib import Path

import pytest

from soulbox_core.errors import SettingsError
from soulbox_core.settings import load

SECRET = "s3cret"


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "soulbox.toml"
    file.write_text("[pool]\nparked = 1\ncompilers = 2\ncompiles = 3\n")
    env = {"SOULBOX_POOL__PARKED": "4", "SOULBOX_POOL__COMPILERS": "5", "PATH": "/bin"}
    pool = load(file, env, ("pool.parked=6",)).pool
    assert (pool.parked, pool.compilers, pool.compiles) == (6, 5, 3)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("pool.parkd", "1", "parkd"),
        ("pool.parked", "-1", "pool.parked"),
        ("pool.parked", "many", "pool.parked"),
        ("records.batch_seconds", "inf", "records.batch_seconds"),
        ("records.spool_bytes", "1", "records.spool_bytes"),
        ("results.redis", "redis://127.0.0.1", "results.secret must have at least 32"),
        ("server.idempotency_redis", "redis://a", "results.secret must have at least 32"),
        ("server.lame_duck_seconds", "-1", "server.lame_duck_seconds"),
        ("database.replicas", '["ws://a/rpc"]', "need database.url"),
        ("database.password", SECRET, "need database.url"),
    ],
)
def test_what_cannot_be_is_said_by_its_key(key: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(flags=(f"{key}={value}",))
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("begin", ["[", "{", '"'])
def test_a_secret_that_looks_like_toml_is_not_shown(begin: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(env={"SOULBOX_DATABASE__PASSWORD": begin + SECRET})
    assert "SOULBOX_DATABASE__PASSWORD" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_text_that_looks_like_toml_may_be_quoted() -> None:
    env = {
        "SOULBOX_DATABASE__URL": "ws://127.0.0.1:1/rpc",
        "SOULBOX_DATABASE__PASSWORD": f'"[{SECRET}"',
    }
    assert load(env=env).database.password == f"[{SECRET}"
