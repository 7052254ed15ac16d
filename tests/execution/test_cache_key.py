import os
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.execution.artifact_disk import KEY
from soulbox_core.execution.cache_key import KeyParts, cache_key, load_secret
from soulbox_core.model import SourceFile

SECRET = bytes(32)
PARTS = KeyParts(
    language="lua",
    plugin_version="1.0",
    image="soulbox/lua:abc",
    argv=("luac", "-o", "{out}", "main.lua"),
    env={"A": "1", "B": "2"},
    entrypoint="main.lua",
    files=(SourceFile(path="main.lua", content=b"x"), SourceFile(path="b.lua", content=b"y")),
)

words = st.text(max_size=3)
parts = st.builds(
    KeyParts,
    language=words,
    plugin_version=words,
    image=words,
    argv=st.lists(words, max_size=3).map(tuple),
    env=st.dictionaries(words, words, max_size=2),
    entrypoint=words,
    files=st.lists(
        st.builds(SourceFile, path=words, content=st.binary(max_size=3)),
        max_size=3,
        unique_by=lambda file: file.path,
    ).map(lambda files: tuple(sorted(files, key=lambda file: file.path))),
    purpose=words,
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("language", "luau"),
        ("plugin_version", "1.1"),
        ("image", "soulbox/lua:abd"),
        ("argv", ("luac", "-o", "{out}main.lua")),
        ("argv", ("luac", "-o", "{out}", "main.", "lua")),
        ("env", {"A": "12", "B": ""}),
        ("env", {"A1": "", "B": "2"}),
        ("entrypoint", "b.lua"),
        ("files", PARTS.files[:1]),
        ("files", (PARTS.files[0], SourceFile(path="b.luay", content=b""))),
        ("files", (PARTS.files[0], SourceFile(path="b.lua", content=b"y\0"))),
        ("purpose", "dependencies"),
    ],
)
def test_every_part_counts(name: str, value: Any) -> None:
    changed = msgspec.structs.replace(PARTS, **{name: value})
    assert cache_key(SECRET, changed) != cache_key(SECRET, PARTS)


def test_the_secret_counts() -> None:
    assert cache_key(b"another", PARTS) != cache_key(SECRET, PARTS)


def test_order_of_files_and_variables_does_not_count() -> None:
    turned = msgspec.structs.replace(PARTS, env={"B": "2", "A": "1"}, files=PARTS.files[::-1])
    assert cache_key(SECRET, turned) == cache_key(SECRET, PARTS)


def test_a_key_is_a_name_that_the_store_takes() -> None:
    assert KEY.fullmatch(cache_key(SECRET, PARTS))


@given(parts, parts)
def test_different_parts_never_share_a_key(one: KeyParts, other: KeyParts) -> None:
    assert (cache_key(SECRET, one) == cache_key(SECRET, other)) == (one == other)


def test_the_secret_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / ".secret"
    secret = load_secret(str(path))
    assert len(secret) == 32
    assert load_secret(str(path)) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [".secret"]


def test_a_secret_that_others_could_read_is_shut(tmp_path: Path) -> None:
    path = tmp_path / ".secret"
    load_secret(str(path))
    path.chmod(0o644)
    load_secret(str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_spoilt_secret_is_replaced(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / ".secret"
    path.write_bytes(content)
    secret = load_secret(str(path))
    assert len(secret) == 32
    assert path.read_bytes() == secret


def test_secrets_differ(tmp_path: Path) -> None:
    assert load_secret(f"{tmp_path}/a") != load_secret(f"{tmp_path}/b")
