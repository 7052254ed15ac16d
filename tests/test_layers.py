"""Imports point one way, and only at the top of a module.

app, cli -> api -> service -> execution -> sandbox -> the leaves
images, which are built ahead of time, are a side entrance: app, cli -> images -> sandbox
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "soulbox_core"
LAUNCHER = CORE / "sandbox" / "launcher"

LEAVES = {
    "model",
    "errors",
    "loopback",
    "remote",
    "report",
    "request_id",
    "routine",
    "trace_context",
    "scopes",
    "settings",
    "service_manager",
    "single_flight",
    "language",
    "commands",
    "certificates",
}
PLUGIN_SIDE = {"", "hookspecs", "declared", "registry"}  # "" is soulbox_core/__init__.py
BELOW_EXECUTION = LEAVES | {"sandbox", "egress"}
BELOW_SERVICE = BELOW_EXECUTION | {"execution", "registry", "results"}
BELOW_API = BELOW_SERVICE | {"service", "identity", "store", "quotas", "journal", "telemetry"}
BELOW_ASSEMBLY = BELOW_API | {"api", "images"}
BELOW_APP = BELOW_ASSEMBLY | {"assembly"}

MAY_IMPORT = {
    **dict.fromkeys(LEAVES, LEAVES),
    **dict.fromkeys(PLUGIN_SIDE, LEAVES | {"hookspecs", "declared"}),
    "testing": LEAVES | {"registry"},
    "sandbox": LEAVES,
    "egress": LEAVES,
    "store": LEAVES,
    "identity": LEAVES | {"store"},
    "quotas": LEAVES,
    "results": LEAVES,
    "journal": LEAVES | {"store"},
    "telemetry": LEAVES,
    "images": LEAVES | {"sandbox"},
    "execution": BELOW_EXECUTION,
    "service": BELOW_SERVICE,
    "api": BELOW_API,
    "rpc": BELOW_API | {"api"},
    "assembly": BELOW_ASSEMBLY,
    "announcement": BELOW_APP,
    "draining": BELOW_SERVICE | {"service"},
    "app": BELOW_APP | {"announcement", "draining"},
    "cli": BELOW_APP | {"app"},
    "__main__": {"cli"},
}
PUBLIC = {"soulbox_core", "soulbox_core.testing"}


def modules_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def name_of(module: Path) -> str:
    parts = module.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(module) for module in modules_in(CORE)}


def imports(tree: ast.AST) -> Iterator[str]:
    """The absolute names that a module imports, `from a import b` as a.b if that is a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in NAMES else node.module


def is_ours(name: str) -> bool:
    return name.partition(".")[0] == "soulbox_core"


def room(name: str) -> str:
    """The part of the house a module is in: `soulbox_core.service.runs` is in service."""
    return [*name.split("."), ""][1]


def parse(module: Path) -> ast.Module:
    return ast.parse(module.read_text())


CORE_MODULES = [each for each in modules_in(CORE) if LAUNCHER not in each.parents]
PLUGIN_MODULES = [
    each for folder in sorted((ROOT / "plugins").glob("*/soulbox_*")) for each in modules_in(folder)
]
every_module = pytest.mark.parametrize("module", CORE_MODULES, ids=name_of)


@every_module
def test_imports_point_downwards(module: Path) -> None:
    own = room(name_of(module))
    assert own in MAY_IMPORT, f"say in MAY_IMPORT what {own} may import"
    allowed = MAY_IMPORT[own] | {own}
    upwards = {
        name for name in imports(parse(module)) if is_ours(name) and room(name) not in allowed
    }
    assert upwards == set()


@every_module
def test_no_import_hides_in_a_function_or_is_relative(module: Path) -> None:
    tree = parse(module)
    top = set(tree.body)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write the absolute name"
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in top:
            assert not any(map(is_ours, imports(node))), f"line {node.lineno}: import at the top"


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {
        name_of(module): {name for name in imports(parse(module)) if is_ours(name)}
        for module in CORE_MODULES
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which shows the circle


@pytest.mark.parametrize("module", modules_in(LAUNCHER), ids=lambda module: module.name)
def test_the_launcher_needs_nothing_but_the_standard_library(module: Path) -> None:
    foreign = {name.partition(".")[0] for name in imports(parse(module))} - sys.stdlib_module_names
    assert foreign == set()


@pytest.mark.parametrize("module", PLUGIN_MODULES, ids=lambda module: module.stem)
def test_plugins_use_public_names_only(module: Path) -> None:
    ours = {name for name in imports(parse(module)) if is_ours(name)}
    assert ours <= PUBLIC
    if module.name == "template.py":  # it runs inside the container
        roots = {name.partition(".")[0] for name in imports(parse(module))}
        assert roots <= sys.stdlib_module_names


def test_the_walls_are_where_they_are_looked_for() -> None:
    assert {"soulbox_core.service.runs", "soulbox_core.sandbox.port"} <= NAMES
    assert PLUGIN_MODULES
    assert set(imports(parse(CORE / "registry.py"))) >= {"soulbox_core.hookspecs", "pluggy"}
