from collections.abc import Mapping

import pytest

from soulbox_core.errors import ContainerError, UnknownLanguage
from soulbox_core.execution.executor import Executor
from soulbox_core.language import Language
from soulbox_core.model import Limits
from soulbox_core.registry import PluginFault, Registry
from soulbox_core.service.catalog import Catalog
from tests.fakes import FakeSandbox, prints
from tests.loop import on_loop
from tests.samples import language

FAULT = PluginFault(plugin="bad", detail="ImportError: no")
LUA = language(aliases=("l",))
TCL = language(name="tcl", title="Tcl", version=("tclsh", "version.tcl"))


def catalog(sandbox: FakeSandbox, *languages: Language) -> Catalog:
    by_name = {each.name: each for each in languages}
    names: Mapping[str, str] = {
        name: each.name for each in languages for name in (each.name, *each.aliases)
    }
    registry = Registry(languages=by_name, names=names, faults=(FAULT,))
    return Catalog(registry, sandbox, Executor(sandbox), Limits())


def versions(of: Catalog) -> dict[str, str | None]:
    return {entry.name: entry.version for entry in of.entries()}


def test_an_entry_tells_what_a_caller_may_know() -> None:
    (entry,) = catalog(FakeSandbox(), LUA).entries()
    assert (entry.name, entry.title, entry.aliases) == ("lua", "Lua", ("l",))
    assert (entry.version, entry.ready) == (None, True)
    assert (entry.preloads, entry.source_file) == ((), "main.lua")


def test_faults_are_told() -> None:
    assert catalog(FakeSandbox(), LUA).faults() == (FAULT,)


def test_language_by_name_and_alias_and_not_otherwise() -> None:
    known = catalog(FakeSandbox(), LUA)
    assert known.language("lua") is known.language("l") is LUA
    with pytest.raises(UnknownLanguage, match="known: lua"):
        known.language("tcl")


@pytest.mark.parametrize(
    ("languages", "unready", "ready"),
    [
        ((LUA, TCL), frozenset(), True),
        ((LUA, TCL), frozenset({"tcl"}), False),
        ((), frozenset(), False),
    ],
)
def test_ready_when_every_language_is(
    languages: tuple[Language, ...], unready: frozenset[str], ready: bool
) -> None:
    known = catalog(FakeSandbox(unready=unready), *languages)
    assert known.ready() is False, "it is not, until all is there that is made ahead"
    known.settled()
    assert known.ready() is ready


def test_readiness_is_asked_anew_each_time() -> None:
    sandbox = FakeSandbox(unready=frozenset({"lua"}))
    known = catalog(sandbox, LUA)
    assert [entry.ready for entry in known.entries()] == [False]
    sandbox.unready = frozenset()
    assert [entry.ready for entry in known.entries()] == [True]


def test_who_stops_is_not_ready_though_its_languages_are() -> None:
    known = catalog(FakeSandbox(), LUA)
    known.settled()
    assert known.ready()
    assert not known.stopping
    known.retire()
    assert known.stopping
    assert not known.ready()
    assert [entry.ready for entry in known.entries()] == [True]


@on_loop
async def test_probing_asks_each_toolchain_in_a_cold_cell() -> None:
    sandbox = FakeSandbox(
        prints(("stdout", b"Lua 5.4.7\nmore\n")), prints(("stderr", b"tclsh 9 \xff\r\n"))
    )
    known = catalog(sandbox, LUA, TCL)
    await known.probe()
    assert versions(known) == {"lua": "Lua 5.4.7", "tcl": "tclsh 9 \N{REPLACEMENT CHARACTER}"}
    assert sandbox.claims == [("lua", True), ("tcl", True)]
    assert [cell.step and cell.step.argv for cell in sandbox.cells] == [
        ("lua", "-v"),
        ("tclsh", "version.tcl"),
    ]
    assert not sandbox.live_cells


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ContainerError("no image"), "no image"),
        (prints(("stdout", b"Lua 5.4.7"), exit_code=1), "lua -v ended with failed"),
        (prints(("stdout", b" \n")), "lua -v printed nothing"),
        (prints(), "lua -v printed nothing"),
    ],
)
@on_loop
async def test_a_toolchain_that_does_not_answer_has_no_version_and_stops_nobody(
    answer: ContainerError, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    known = catalog(FakeSandbox(answer, prints(("stdout", b"9.0"))), LUA, TCL)
    await known.probe()
    assert versions(known) == {"lua": None, "tcl": "9.0"}
    assert said in caplog.text


@on_loop
async def test_a_version_is_no_place_for_a_flood() -> None:
    known = catalog(FakeSandbox(prints(("stdout", b"x" * 5_000))), LUA)
    await known.probe()
    assert versions(known) == {"lua": "x" * 200}
