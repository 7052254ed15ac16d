import pytest

from soulbox_core import Dependencies, Language
from soulbox_core.errors import DependenciesRefused
from soulbox_core.execution.requirements import checked
from soulbox_core.settings import DependencySettings
from tests.samples import language

ROCKS = Dependencies(
    requirement=r"([A-Za-z0-9._-]+)(?: ?== ?[0-9.*]+)?", install=("luarocks", "{requirements}")
)
ANYTHING = Dependencies(requirement=r"(?s)(.*)", install=("luarocks", "{requirements}"))
"""A plugin's pattern that keeps nothing out."""


def on(*allow: str, deny: tuple[str, ...] = ()) -> DependencySettings:
    return DependencySettings(hosts=("registry.test",), allow=allow or ("*",), deny=deny)


def installing(dependencies: Dependencies = ROCKS) -> Language:
    return language(dependencies=dependencies)


def test_each_comes_once_in_an_order_of_its_own() -> None:
    asked = ("b == 1.*", "a", "b == 1.*", "B")
    assert checked(asked, installing(), on()) == ("B", "a", "b == 1.*")
    assert checked(tuple(reversed(asked)), installing(), on()) == ("B", "a", "b == 1.*")


def test_a_language_without_a_package_manager_says_so() -> None:
    with pytest.raises(DependenciesRefused, match="lua has no package manager here") as refusal:
        checked(("a",), language(), on())
    assert refusal.value.field == "dependencies"


def test_what_is_not_turned_on_names_the_setting_that_does() -> None:
    with pytest.raises(DependenciesRefused, match=r"languages\.lua\.dependencies\.hosts"):
        checked(("a",), installing(), DependencySettings())


@pytest.mark.parametrize(
    ("settings", "requirement"),
    [
        (on("a", "b"), "c"),
        (on("a"), "ab"),
        (on("lua-*"), "evil-lua-a"),
        (on(deny=("evil",)), "evil"),
        (on(deny=("evil",)), "evil == 1.0"),
        (on(deny=("evil",)), "EVIL"),
        (on(deny=("Evil",)), "evil"),
        (on(deny=("evil*",)), "evil-2"),
        (on("evil", deny=("evil",)), "evil"),
        (on(deny=("*",)), "a"),
        # Names that a registry may take for the same
        (on(deny=("evil-thing",)), "evil_thing"),
        (on(deny=("evil-thing",)), "evil.thing"),
        (on(deny=("evil-thing",)), "evil-_.thing"),
        (on(deny=("evil_thing",)), "Evil-Thing"),
        (on(deny=("evil.thing",)), "evil__thing"),
        (on(deny=("evil_*",)), "evil.thing"),
    ],
)
def test_what_the_operator_does_not_allow_is_refused(
    settings: DependencySettings, requirement: str
) -> None:
    with pytest.raises(DependenciesRefused, match="is not one of the packages allowed here"):
        checked((requirement,), installing(), settings)
    with pytest.raises(DependenciesRefused):
        checked(("a", requirement), installing(), settings)


@pytest.mark.parametrize(
    ("settings", "requirement"),
    [
        (on("a", "b"), "B == 1.*"),
        (on("Lua-*"), "lua-a"),
        (on("lua-*", deny=("lua-evil",)), "lua-good"),
        (on(deny=("evil",)), "evilness"),
        (on(deny=("e[vw]il",)), "exil"),
    ],
)
def test_what_the_operator_allows_is_let_through(
    settings: DependencySettings, requirement: str
) -> None:
    assert checked((requirement,), installing(), settings) == (requirement,)


def test_an_allowed_name_is_allowed_as_it_is_written() -> None:
    with pytest.raises(DependenciesRefused):
        checked(("good.thing",), installing(), on("good-thing"))


MALFORMED = [
    "",
    " ",
    "a b",
    "--index-url=http://evil.test",
    "-r/etc/passwd",
    "/store/0123",
    "./a",
    "../a",
    "a/b",
    "file:///etc/passwd",
    "http://evil.test/a.tar.gz",
    "git+https://evil.test/a",
    "a @ http://evil.test/a",
    "a; print(1)",
    "a\nb",
    "a\n",
    "\ta",
    "a\0",
    "$(id)",
    "{out}",
    "a == 1.0 --pre",
]


@pytest.mark.parametrize("requirement", MALFORMED)
def test_what_the_language_s_pattern_does_not_match_is_refused(requirement: str) -> None:
    with pytest.raises(DependenciesRefused, match="is not a package of lua's registry"):
        checked(("a", requirement), installing(), on())


@pytest.mark.parametrize(
    "requirement",
    [
        "-a",
        "--a",
        "a\nb",
        "a\0",
        "\x1b[2J",
        "\u0430",  # a Cyrillic letter that looks like an a
        "\u212aelvin",  # whose lower case is an ordinary k
        "pyth\u00adon",  # a soft hyphen, which nobody sees
        "\u202eevil",
        "a\u00a0",
        "\U0001f40d",
        "\ud800",
    ],
)
def test_no_pattern_of_a_plugin_lets_options_or_look_alikes_through(requirement: str) -> None:
    with pytest.raises(DependenciesRefused, match="is not a package of lua's registry"):
        checked((requirement,), installing(ANYTHING), on())


def test_a_long_one_is_cut_in_the_message() -> None:
    with pytest.raises(DependenciesRefused) as refusal:
        checked(("/" * 5000,), installing(), on())
    assert len(refusal.value.detail) < 250
    with pytest.raises(DependenciesRefused) as refusal:
        checked(("a" * 5000,), installing(), on("b"))
    assert len(refusal.value.detail) < 250
