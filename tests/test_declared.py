from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from soulbox_core import Boot, Compile, Dependencies, Image, Language, Option, Source, SourceFile
from soulbox_core.declared import check
from tests.samples import language


def argv_of(source: Source) -> tuple[str, ...]:
    return ("lua", source.entrypoint)


def step_of(source: Source) -> Compile | None:
    return None


def env_of(source: Source) -> dict[str, str]:
    return {}


FULL = {
    "image": Image(
        packages=("lua5.4",),
        files={"/opt/boot.lua": Path("boot.lua")},
        setup=(("luac", "{preloads}"),),
    ),
    "env": {"LUA_PATH": "/box"},
    "options": (Option(name="fast", description="Faster."),),
    "compile": Compile(
        argv=("luac",), env={"A": "1"}, files=(SourceFile(path="a.lua", content=b"\xff"),)
    ),
    "compiler": ("lua", "helper.lua"),
    "boot": Boot(argv=("lua", "boot.lua"), cold_limits=("memory_bytes",)),
    "preloads": ("lpeg",),
    "dependencies": Dependencies(
        requirement="(a)", install=("luarocks", "{requirements}"), env={"B": "{dependencies}"}
    ),
}


def test_what_is_well_declared_comes_back_the_same() -> None:
    assert check(language()) == language()
    assert check(language(**FULL)) == language(**FULL)


def test_functions_are_let_through_where_they_may_be() -> None:
    offered = language(
        run=argv_of, env=env_of, compile=step_of, compiler=argv_of, boot=Boot(argv=argv_of)
    )
    assert check(offered) == offered


def test_lists_become_the_tuples_that_they_stand_for() -> None:
    offered = check(
        language(
            run=["lua", "{entrypoint}"],
            aliases=["l"],
            image=Image(packages=["lua5.4"], setup=[["luac"]]),  # type: ignore[arg-type]  # what the test is about
            options=[Option(name="fast", description="", values=["no", "yes"])],  # type: ignore[arg-type]  # what the test is about
        )
    )
    assert (offered.run, offered.aliases) == (("lua", "{entrypoint}"), ("l",))
    assert (offered.image.packages, offered.image.setup) == (("lua5.4",), (("luac",),))
    assert offered.options[0].values == ("no", "yes")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"title": None}, "title"),
    ({"image": {"packages": ["lua5.4"]}}, "image"),
    ({"image": None}, "image"),
    ({"run": "lua main.lua"}, "run"),
    ({"run": ("lua", 1)}, "run"),
    ({"version": "lua -v"}, "version"),
    ({"version": argv_of}, "version"),
    ({"hello": b"print()"}, "hello"),
    ({"hello": argv_of}, "hello"),
    ({"aliases": "l"}, "aliases"),
    ({"env": {"A": 1}}, "env"),
    ({"env": ("A=1",)}, "env"),
    ({"live_env": env_of}, "live_env"),
    ({"compile": ("luac",)}, "compile"),
    ({"compile": "luac"}, "compile"),
    ({"compile": Compile(argv=("luac",)), "compiler": "lua helper.lua"}, "compiler"),
    ({"template": "template.py"}, "template"),
    ({"boot": ("lua", "boot.lua")}, "boot"),
    ({"preloads": 3, "template": Path("t.py")}, "preloads"),
    ({"cold_env": "SEED"}, "cold_env"),
    ({"dependencies": {"requirement": "(a)"}}, "dependencies"),
    ({"dependencies": argv_of}, "dependencies"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_a_value_of_a_wrong_type_is_told_by_its_field(changes: dict[str, Any], field: str) -> None:
    offered = language(**changes)
    with pytest.raises(ValueError, match=f"^{field}"):
        check(offered)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": 3},
        {"run": None},
        {"options": Option(name="fast", description="")},
        {"options": ({"name": "fast"},)},
        {"options": ("fast",)},
    ],
)
def test_some_wrong_types_do_not_even_make_a_language(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        language(**changes)


DEEP: list[tuple[Callable[[], Language], str]] = [
    (lambda: language(image=Image(packages="lua5.4")), "packages"),  # type: ignore[arg-type]  # what the test is about
    (lambda: language(image=Image(files={"/a": "b"})), "files"),  # type: ignore[dict-item]  # what the test is about
    (lambda: language(image=Image(setup=("luac",))), "setup"),  # type: ignore[arg-type]  # what the test is about
    (lambda: language(compile=Compile(argv="luac")), "argv"),  # type: ignore[arg-type]  # what the test is about
    (lambda: language(compile=Compile(argv=("luac",), files=({"path": "a"},))), "files"),  # type: ignore[arg-type]  # what the test is about
    (
        lambda: language(
            compile=Compile(argv=("luac",), files=(SourceFile(path="a", content="b"),))  # type: ignore[arg-type]  # what the test is about
        ),
        "content",
    ),
    (lambda: language(boot=Boot(argv="lua")), "argv"),  # type: ignore[arg-type]  # what the test is about
    (lambda: language(options=(Option(name="fast", description=3),)), "description"),  # type: ignore[arg-type]  # what the test is about
    (
        lambda: language(
            dependencies=Dependencies(
                requirement="(a)",
                install=("{requirements}", 3),  # type: ignore[arg-type]  # what the test is about
            )
        ),
        "install",
    ),
]


@pytest.mark.parametrize(("declare", "field"), DEEP)
def test_a_value_of_a_wrong_type_is_found_within(
    declare: Callable[[], Language], field: str
) -> None:
    offered = declare()
    with pytest.raises(ValueError, match=field):
        check(offered)


def test_a_subclass_is_held_against_its_own_fields() -> None:
    class Dialect(Language):
        year: int = 1993

    usual = {name: getattr(language(), name) for name in Language.__struct_fields__}
    assert check(Dialect(**usual)).year == 1993
    with pytest.raises(ValueError, match="year"):
        check(Dialect(**usual, year="long ago"))  # type: ignore[arg-type]  # what the test is about
