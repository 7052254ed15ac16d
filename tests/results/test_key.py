"""A key changes with whatever can change the answer, and with nothing else."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soulbox_core.model import Limits, RunRequest, SourceFile
from soulbox_core.results.key import NOBODY, Keys, Parts, is_key, is_owner
from soulbox_core.settings import CompileLimits, DependencySettings
from tests.results.house import ME, OTHER, SECRET, parts
from tests.samples import SOURCE

KEYS = Keys(SECRET, shared=False)
COUNTS: dict[str, Any] = {
    "language": "moon",
    "files": (SourceFile(path=SOURCE.path, content=b"print('Hello!')"),),
    "entrypoint": "other.lua",
    "stdin": b"typed",
    "args": ("a",),
    "env": {"MODE": "fast"},
    "outputs": ("*.csv",),
    "options": {"check": "true"},
    "dependencies": ("polars",),
    "mounts": ("iris",),
}
COUNTS_NOT: dict[str, Any] = {
    "limits": {"cpus": 2.0},
    "cache": True,
    "usage_events": True,
}
"""Which limits hold is said by `Parts.limits`; how the answer is told changes nothing in it."""
OF_PARTS: dict[str, Any] = {
    "toolchain": "1.1 sha256:0123 2026-11-25",
    "caller": OTHER,
    "preloads": ("numpy",),
    "hidden": ("/usr/bin/env",),
    "compile_limits": Limits(cpus=1.5),
}
OF_DEPENDENCIES: dict[str, Any] = {
    "hosts": ("pypi.org",),
    "allow": ("numpy",),
    "deny": ("left-pad",),
    "env": {"PIP_INDEX_URL": "https://example.org"},
}
PLAIN = KEYS.of(parts())


@pytest.mark.parametrize("field", RunRequest.__struct_fields__)
def test_it_changes_with_each_field_of_the_request(field: str) -> None:
    if field == "network":
        with pytest.raises(ValueError, match="has no key"):
            KEYS.of(parts(network=("example.org",)))
    elif field in COUNTS_NOT:
        request = msgspec.structs.replace(parts().request, **{field: COUNTS_NOT[field]})
        assert KEYS.of(parts(request=request)) == PLAIN
    else:
        request = msgspec.structs.replace(parts().request, **{field: COUNTS[field]})
        assert KEYS.of(parts(request=request)) != PLAIN


@pytest.mark.parametrize("which", ["limits", "compile_limits"])
@pytest.mark.parametrize("field", Limits.__struct_fields__)
def test_it_changes_with_each_limit(field: str, which: str) -> None:
    kind: type[Limits] = Limits if which == "limits" else CompileLimits
    changes: dict[str, Any] = {which: kind(**{field: getattr(kind(), field) + 1})}
    assert KEYS.of(parts(**changes)) != PLAIN


@pytest.mark.parametrize("field", Parts.__struct_fields__)
def test_it_changes_with_all_that_it_is_told_besides(field: str) -> None:
    if field not in ("request", "limits", "dependencies"):  # which have tests of their own
        assert KEYS.of(parts(**{field: OF_PARTS[field]})) != PLAIN


@pytest.mark.parametrize("field", DependencySettings.__struct_fields__)
def test_it_changes_with_what_may_be_installed(field: str) -> None:
    request = parts(dependencies=("polars",)).request
    settings = DependencySettings(**{field: OF_DEPENDENCIES[field]})
    without = KEYS.of(parts(request=request))
    assert (
        KEYS.of(msgspec.structs.replace(parts(request=request), dependencies=settings)) != without
    )


def test_it_does_not_change_with_the_order_of_variables_and_files() -> None:
    one = {"A": "1", "B": "2"}
    other = dict(reversed(one.items()))
    assert KEYS.of(parts(env=one)) == KEYS.of(parts(env=other))
    assert KEYS.of(parts(options=one)) == KEYS.of(parts(options=other))
    files = (SOURCE, SourceFile(path="a.lua", content=b""))
    assert KEYS.of(parts(files=files)) == KEYS.of(parts(files=files[::-1]))


TEXTS = st.lists(st.text(max_size=5), max_size=4)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_two_requests_read_the_same(
    args: list[str], outputs: list[str], other_args: list[str], other_outputs: list[str]
) -> None:
    try:
        one = KEYS.of(parts(args=tuple(args), outputs=tuple(outputs)))
        other = KEYS.of(parts(args=tuple(other_args), outputs=tuple(other_outputs)))
    except UnicodeEncodeError:
        return  # no request holds what is no text
    assert (one == other) == ((args, outputs) == (other_args, other_outputs))


def test_callers_have_keys_of_their_own_unless_they_share() -> None:
    assert KEYS.of(parts(ME)).startswith(KEYS.owner(ME))
    assert KEYS.of(parts(OTHER))[16:] != PLAIN[16:]
    shared = Keys(SECRET, shared=True)
    assert shared.of(parts(ME)) == shared.of(parts(OTHER))
    assert shared.of(parts()).startswith(NOBODY)
    assert shared.of(parts())[16:] != PLAIN[16:]


def test_who_does_not_know_the_secret_makes_other_keys() -> None:
    assert Keys(SECRET, shared=False).of(parts()) == PLAIN
    others = {Keys(secret, shared=False).of(parts()) for secret in ("x" * 32, "", "")}
    assert len(others | {PLAIN}) == 4


def test_what_a_key_looks_like() -> None:
    assert is_key(PLAIN)
    assert is_owner(PLAIN[:16])
    for text in ("", PLAIN[:-1], PLAIN + "0", PLAIN.upper(), "g" * 64, "*" * 64):
        assert not is_key(text)
