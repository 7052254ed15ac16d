"""The documents say what the code does: a test fails when one of the two is changed alone."""

import ast
import inspect
import re
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from soulbox_core import hookspecs
from soulbox_core.cli import COMMANDS
from soulbox_core.language import Boot, Compile, Dependencies, Image, Language, Option
from soulbox_core.model import Limits, Status
from soulbox_core.service.policy import FLOOR
from soulbox_core.testing import Programs, registered

ROOT = Path(__file__).parents[1]
CORE = ROOT / "soulbox_core"
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("plugins/*/README.md")),
]
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def section(document: str, heading: str) -> str:
    """What stands under one heading of the second level."""
    return text_of(document).split(f"\n## {heading}\n")[1].split("\n## ")[0]


def rows(text: str) -> dict[str, list[str]]:
    """Table rows that begin with a code span: the other cells by that span's text."""
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `"):
            found[cells[0].strip("`")] = cells[1:]
    return found


def unmarked(document: Path) -> str:
    """A document without its fenced blocks, in which nothing is a link or a heading."""
    return FENCE.sub("", document.read_text())


def anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to a document's headings."""
    headings = re.findall(r"^#+ (.+)$", unmarked(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def links() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for target in LINK.findall(unmarked(document)):
            if "://" not in target:
                yield str(document.relative_to(ROOT)), target


@pytest.mark.parametrize(("document", "target"), sorted(set(links())))
def test_a_link_leads_somewhere(document: str, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (ROOT / document).parent / path if path else ROOT / document
    assert found.exists()
    assert not anchor or anchor in anchors(found)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_script_that_is_named_is_there(document: Path) -> None:
    for name in re.findall(r"\bscripts/[a-z-]+\b", document.read_text()):
        assert (ROOT / name).exists(), name


# docs/plugins.md


def hooks() -> list[types.FunctionType]:
    marker = f"{hookspecs.PROJECT}_spec"
    return [each for each in vars(hookspecs).values() if hasattr(each, marker)]


def test_every_hook_is_documented_with_its_signature() -> None:
    assert hooks()
    for hook in hooks():
        signature = inspect.signature(hook, eval_str=True)
        names = str(signature).replace("collections.abc.", "").replace("soulbox_core.language.", "")
        assert f"`{hook.__name__}{names}`" in section("docs/plugins.md", "The hook")


def written(field: msgspec.structs.FieldInfo) -> str:
    """A field's default as the document writes it."""
    if field.required:
        return "required"
    made = field.default_factory is not msgspec.NODEFAULT
    return f"`{field.default_factory() if made else field.default!r}`"


@pytest.mark.parametrize("kind", [Language, Image, Boot, Compile, Dependencies, Option])
def test_every_field_is_documented_with_its_default(kind: type[msgspec.Struct]) -> None:
    documented = {
        name: cells[0] for name, cells in rows(section("docs/plugins.md", kind.__name__)).items()
    }
    assert documented == {field.name: written(field) for field in msgspec.structs.fields(kind)}


def test_every_program_of_the_conformance_kit_is_documented() -> None:
    documented = rows(section("docs/plugins.md", "Testing it"))
    assert set(documented) == set(Programs.__struct_fields__)


def test_the_plugin_of_the_document_registers_its_language() -> None:
    block = re.compile(r"<!-- plugin -->\n```python\n(.*?)```", re.DOTALL)
    (source,) = block.findall(text_of("docs/plugins.md"))
    plugin = types.ModuleType("soulbox_lua")
    exec(source, plugin.__dict__)
    assert [language.name for language in registered(plugin)] == ["lua"]


def test_the_project_file_of_the_document_names_the_plugin() -> None:
    (source,) = re.findall(r"```toml\n(.*?)```", text_of("docs/plugins.md"), re.S)
    project = tomllib.loads(source)["project"]
    assert project["entry-points"] == {hookspecs.PROJECT: {"lua": "soulbox_lua"}}


# docs/http.md


@pytest.mark.parametrize("status", Status)
def test_every_status_is_documented(status: Status) -> None:
    table = section("docs/http.md", "Run a program").split("### The answer")[1]
    assert re.search(rf"^\| [^|]*`{status}`", table, re.MULTILINE)


@pytest.mark.parametrize("limit", Limits.__struct_fields__)
def test_every_limit_is_documented_for_callers(limit: str) -> None:
    assert limit in rows(section("docs/http.md", "Run a program"))


# docs/architecture.md


def test_every_limit_is_documented_with_its_least_value() -> None:
    table = rows(section("docs/architecture.md", "Limits, and who enforces them"))
    assert {name: float(cells[0]) for name, cells in table.items()} == msgspec.structs.asdict(FLOOR)


GENERATED = CORE / "rpc" / "v1"


def test_every_module_has_its_line_in_the_architecture_and_no_other() -> None:
    modules = {
        str(path.relative_to(CORE))
        for path in CORE.rglob("*.py")
        if (path.name != "__init__.py" or path.parent == CORE) and path.parent != GENERATED
    }
    assert set(rows(section("docs/architecture.md", "Rooms"))) == modules


# docs/threats.md


def functions() -> Iterator[str]:
    for folder in (ROOT / "tests", ROOT / "plugins"):
        for path in folder.rglob("test_*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield node.name


def cases() -> set[str]:
    """The names of the cases in tests/integration/test_limits.py."""
    tree = ast.parse(text_of("tests/integration/test_limits.py"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id == "Case"
        if isinstance(call.args[0], ast.Constant)
    }


def test_every_test_that_threats_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", text_of("docs/threats.md")))
    assert len(named) > 50
    assert named - set(functions()) == set()


def test_every_case_that_threats_names_exists_and_every_case_is_named() -> None:
    ordinary = {"closed_stdout", "signal", "own_sigkill", "exit_code"}
    assert set(re.findall(r"`\[(\w+)\]`", text_of("docs/threats.md"))) == cases() - ordinary


def threats() -> list[str]:
    return text_of("docs/threats.md").split("\n### ")[1:]


@pytest.mark.parametrize("threat", threats(), ids=lambda text: text.partition("\n")[0])
def test_a_threat_says_what_stops_it_what_remains_and_what_shows_it(threat: str) -> None:
    paragraphs = threat.split("\n## ")[0].strip().split("\n\n")[1:]
    heads = [re.match(r"\*\*(.+?)\*\*", text) for text in paragraphs]
    assert [head[1] if head else "" for head in heads] == [
        "",
        "What stops it.",
        "What remains.",
        "Shown by",
    ]
    assert "`" in paragraphs[-1]


# README.md and CHANGELOG.md


def test_the_figures_of_the_readme_are_the_rows_of_the_bench() -> None:
    """Each with the bar that the bench holds it against."""
    calls = [
        [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        for node in ast.walk(ast.parse(text_of("bench/__main__.py")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr == "row"
    ]
    measured = {str(constants[0]): str(constants[-1]) for constants in calls}
    lines = section("README.md", "Figures").splitlines()
    table = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")][1:]
    assert {cells[0]: cells[1] for cells in table} == measured


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"| `soulbox {command}" in text_of("README.md")


def test_the_version_is_in_the_changelog() -> None:
    version = tomllib.loads(text_of("pyproject.toml"))["project"]["version"]
    assert f"\n## [{version}] - " in text_of("CHANGELOG.md")
