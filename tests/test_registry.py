import dataclasses
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from soulbox_core import Image, Language, hookimpl, registry
from soulbox_core.errors import SettingsError, StartupError, UnknownLanguage
from soulbox_core.hookspecs import PROJECT
from soulbox_core.registry import PluginFault, Registry
from soulbox_core.settings import LanguageSettings, Plugins, Settings
from tests.samples import language

LUA = language(aliases=("l",))
TCL = language(name="tcl", title="Tcl")


@dataclasses.dataclass
class Shelf:
    """Plugins as importable modules, with the entry points that name them."""

    monkeypatch: pytest.MonkeyPatch
    points: list[metadata.EntryPoint] = dataclasses.field(default_factory=list)

    def add(self, name: str, hook: Callable[..., Any], *, entry: str | None = None) -> None:
        """Add a plugin with this hook, marked as one."""
        module = ModuleType(f"soulbox_plugin_{name}")
        hook.__module__ = module.__name__
        setattr(module, "soulbox_register_languages", hookimpl(hook))  # noqa: B010
        self.add_module(name, module, entry=entry)

    def add_module(self, name: str, module: ModuleType, *, entry: str | None = None) -> None:
        self.monkeypatch.setitem(sys.modules, module.__name__, module)
        self.add_point(entry or name, module.__name__)

    def add_point(self, name: str, value: str) -> None:
        self.points.append(metadata.EntryPoint(name=name, value=value, group=PROJECT))

    def load(self, **settings: Any) -> Registry:
        return registry.load(Settings(**settings), self.points)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    return Shelf(monkeypatch)


def raises(error: BaseException) -> Callable[[], list[Language]]:
    def hook() -> list[Language]:
        raise error

    return hook


def test_plugins_languages_are_found_by_name_and_alias(shelf: Shelf) -> None:
    shelf.add("tcl", lambda: [TCL])
    shelf.add("lua", lambda: (LUA,))
    loaded = shelf.load()
    assert list(loaded.languages) == ["lua", "tcl"]
    assert loaded.language("lua") == loaded.language("l") == LUA
    assert loaded.faults == ()


def test_a_hook_may_be_a_generator(shelf: Shelf) -> None:
    def hook() -> Iterator[Language]:
        yield LUA
        yield TCL

    shelf.add("both", hook)
    assert list(shelf.load().languages) == ["lua", "tcl"]


def test_an_unknown_language_is_refused_with_the_known_ones(shelf: Shelf) -> None:
    shelf.add("lua", lambda: [LUA])
    with pytest.raises(UnknownLanguage, match="no language 'cobol'; known: lua"):
        shelf.load().language("cobol")


def test_a_registry_cannot_be_changed(shelf: Shelf) -> None:
    shelf.add("lua", lambda: [LUA])
    loaded = shelf.load()
    with pytest.raises(TypeError):
        loaded.languages["x"] = LUA  # type: ignore[index]
    with pytest.raises(AttributeError):
        loaded.faults = ()  # type: ignore[misc]


def changed(**changes: Any) -> Callable[[], list[Language]]:
    return lambda: [language(name="bad", **changes)]


BAD_HOOKS: list[tuple[Callable[..., Any], str]] = [
    (raises(RuntimeError("boom")), "RuntimeError: boom"),
    (raises(SystemExit(2)), "SystemExit: 2"),
    (lambda: None, "has no soulbox_register_languages that returns languages"),
    (lambda: 7, "TypeError: 'int' object is not iterable"),
    (lambda: TCL, "TypeError: 'Language' object is not iterable"),
    (lambda: ["tcl"], "returned a str, not a Language"),
    (lambda: [language(name="UPPER")], "ValueError: name 'UPPER' does not match"),
    (lambda surprise: [TCL], "surprise"),
    (changed(run="python3"), "language 'bad': run: expected `array`, got `str`"),
    (changed(env={"A": 1}), "language 'bad': env: expected `str`, got `int`"),
    (changed(image="debian"), "language 'bad': image: expected Image, got 'debian'"),
    (changed(image=Image(packages="lua")), "language 'bad': packages: expected `array`, got `str`"),  # type: ignore[arg-type]
    (changed(template="t.py"), "language 'bad': template: expected `Path`, got `str`"),
    (changed(template=Path("/no/t.py")), "language 'bad': no file /no/t.py"),
    (lambda: [TCL, TCL], "the name 'tcl' is taken by another language"),
    (lambda: [language(name="tcl", aliases=("tcl",))], "the name 'tcl' is taken"),
]


@pytest.mark.parametrize(("hook", "detail"), BAD_HOOKS)
def test_a_broken_plugin_takes_down_itself_alone(
    shelf: Shelf, hook: Callable[..., Any], detail: str, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.add("aaa", hook)
    shelf.add("lua", lambda: [LUA])
    loaded = shelf.load()
    assert list(loaded.languages) == ["lua"]
    (fault,) = loaded.faults
    assert fault.plugin == "aaa"
    assert detail in fault.detail
    assert "plugin 'aaa'" in caplog.text


def test_a_plugin_that_cannot_be_imported_takes_down_itself_alone(
    shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "soulbox_plugin_broken.py").write_text("1 / 0")
    shelf.monkeypatch.syspath_prepend(tmp_path)
    shelf.add_point("absent", "soulbox_plugin_absent")
    shelf.add_point("broken", "soulbox_plugin_broken")
    shelf.add_point("partial", "soulbox_core.language:Nothing")
    shelf.add("lua", lambda: [LUA])
    loaded = shelf.load()
    assert list(loaded.languages) == ["lua"]
    assert [(fault.plugin, fault.detail.partition(":")[0]) for fault in loaded.faults] == [
        ("absent", "ModuleNotFoundError"),
        ("broken", "ZeroDivisionError"),
        ("partial", "AttributeError"),
    ]


def test_a_hook_that_does_not_exist_is_a_fault(shelf: Shelf) -> None:
    module = ModuleType("soulbox_plugin_typo")

    @hookimpl
    def soulbox_registers_languages() -> list[Language]:
        return [TCL]

    module.soulbox_registers_languages = soulbox_registers_languages  # type: ignore[attr-defined]
    shelf.add_module("typo", module)
    (fault,) = shelf.load().faults
    assert "unknown hook 'soulbox_registers_languages'" in fault.detail


def test_a_hook_wrapper_reaches_no_other_plugin(shelf: Shelf) -> None:
    module = ModuleType("soulbox_plugin_wrapper")

    @hookimpl(wrapper=True)
    def soulbox_register_languages() -> Iterator[None]:
        yield
        return [[TCL]]  # type: ignore[return-value]

    module.soulbox_register_languages = soulbox_register_languages  # type: ignore[attr-defined]
    shelf.add_module("wrapper", module)
    shelf.add("lua", lambda: [LUA])
    assert shelf.load().language("lua") == LUA


@pytest.mark.parametrize("late", [language(name="lua"), language(name="x", aliases=("l",))])
def test_a_taken_name_or_alias_disables_the_later_plugin_whole(
    shelf: Shelf, late: Language
) -> None:
    shelf.add("b_late", lambda: [TCL, late])
    shelf.add("a_early", lambda: [LUA])
    loaded = shelf.load()
    assert list(loaded.languages) == ["lua"]
    assert loaded.language("lua") == LUA
    (fault,) = loaded.faults
    assert fault.plugin == "b_late"
    assert "is taken by another language" in fault.detail


def test_a_second_plugin_of_the_same_entry_point_name_is_a_fault(shelf: Shelf) -> None:
    shelf.add("one", lambda: [LUA], entry="same")
    shelf.add("two", lambda: [TCL], entry="same")
    loaded = shelf.load()
    assert list(loaded.languages) == ["lua"]
    assert loaded.faults == (
        PluginFault(plugin="same", detail="soulbox_plugin_two has the name of another plugin"),
    )


def test_two_entry_points_for_one_plugin_are_a_fault(shelf: Shelf) -> None:
    shelf.add("lua", lambda: [LUA])
    shelf.add_point("lua-again", "soulbox_plugin_lua")
    loaded = shelf.load()
    assert list(loaded.languages) == ["lua"]
    assert [fault.plugin for fault in loaded.faults] == ["lua-again"]


def test_a_blocked_plugin_is_not_even_imported(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "soulbox_plugin_blocked.py").write_text("raise SystemExit('imported')")
    shelf.monkeypatch.syspath_prepend(tmp_path)
    shelf.add_point("blocked", "soulbox_plugin_blocked")
    loaded = shelf.load(plugins=Plugins(blocked=("blocked", "not-installed")))
    assert loaded == Registry(languages={}, names={}, faults=())
    assert "soulbox_plugin_blocked" not in sys.modules


def test_lists_of_a_plugin_become_tuples(shelf: Shelf) -> None:
    shelf.add("lua", changed(run=["lua", "{entrypoint}"]))
    assert shelf.load().language("bad").run == ("lua", "{entrypoint}")


def test_a_fault_is_no_place_for_a_flood(shelf: Shelf) -> None:
    shelf.add("lua", raises(RuntimeError("x" * 10_000)))
    (fault,) = shelf.load().faults
    assert len(fault.detail) == 500


def test_the_operator_s_word_counts(shelf: Shelf, tmp_path: Path) -> None:
    template = tmp_path / "t.py"
    template.touch()
    original = language(template=template, preloads=("a",))
    shelf.add("lua", lambda: [original])
    changes = LanguageSettings(packages=("lua5.1",), pypi=("x",), preloads=("b", "c"), image="r:1")
    assert shelf.load(languages={"lua": changes}).language("lua") == msgspec.structs.replace(
        original,
        image=Image(packages=("lua5.1",), pypi=("x",), reference="r:1"),
        preloads=("b", "c"),
    )
    assert shelf.load(languages={"lua": LanguageSettings()}).language("lua") == original
    emptied = shelf.load(languages={"lua": LanguageSettings(preloads=(), packages=())})
    assert emptied.language("lua").preloads == emptied.language("lua").image.packages == ()


def test_a_disabled_language_is_gone_with_its_aliases(shelf: Shelf) -> None:
    shelf.add("lua", lambda: [LUA])
    loaded = shelf.load(languages={"lua": LanguageSettings(enabled=False)})
    assert loaded == Registry(languages={}, names={})
    with pytest.raises(UnknownLanguage):
        loaded.language("l")


@pytest.mark.parametrize("name", ["cobol", "l"])
def test_settings_for_a_language_nobody_offers_stop_the_start(shelf: Shelf, name: str) -> None:
    shelf.add("lua", lambda: [LUA])
    with pytest.raises(StartupError, match=rf"languages\.{name}: no plugin offers it; known: lua"):
        shelf.load(languages={name: LanguageSettings(enabled=False)})


def test_settings_for_the_language_of_a_failed_plugin_say_what_failed(shelf: Shelf) -> None:
    shelf.add("tcl", raises(RuntimeError("boom")))
    with pytest.raises(SettingsError, match="plugin 'tcl' failed: RuntimeError: boom"):
        shelf.load(languages={"tcl": LanguageSettings(parked=1)})


def test_settings_that_break_a_language_stop_the_start(shelf: Shelf) -> None:
    shelf.add("lua", lambda: [LUA])
    with pytest.raises(SettingsError, match=r"languages\.lua: preloads: nothing takes them"):
        shelf.load(languages={"lua": LanguageSettings(preloads=("x",))})


def test_installed_plugins_are_found_by_their_entry_points(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "soulbox_plugin_installed.py").write_text(
        "from soulbox_core import hookimpl\n"
        "from tests.samples import language\n\n"
        "@hookimpl\ndef soulbox_register_languages():\n"
        "    return [language(name='installed')]\n"
    )
    info = tmp_path / "soulbox_plugin_installed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: x-installed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[soulbox]\ninstalled = soulbox_plugin_installed\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "installed" in registry.load(Settings()).languages
