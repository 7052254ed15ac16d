"""soulbox check: whether this host can run the service, and what would mend it."""

import os
from collections.abc import Callable

import typer
from rich.console import Console
from rich.markup import escape

from soulbox_core.cli.configuration import Changes, ConfigFile, StateDir, load
from soulbox_core.cli.host import build, kernel, limits, podman
from soulbox_core.cli.host.finding import Finding, Level
from soulbox_core.settings import Settings

app = typer.Typer()

CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    kernel.user,
    kernel.version,
    kernel.user_namespaces,
    kernel.namespaces,
    kernel.swap,
    podman.helpers,
    podman.subordinate_ids,
    podman.runtime,
    podman.works,
    limits.cgroups,
    limits.seccomp,
    build.mmdebstrap,
    build.disk,
)
_COLOURS = {Level.PASS: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@app.command()
def check(config: ConfigFile = None, changes: Changes = None, state_dir: StateDir = None) -> None:
    """Check the host: PASS, WARN or FAIL, and the command that mends it. Exits 1 on any FAIL."""
    settings = load(config, changes, state_dir=state_dir)
    console = Console(soft_wrap=True, highlight=False)
    # Root's answers would be about root's Podman, and would leave its files in the state.
    checks = CHECKS if os.getuid() else (kernel.user,)
    findings = []
    for one in checks:
        findings.append(one(settings))
        _show(console, findings[-1])
    raise typer.Exit(int(any(finding.level is Level.FAIL for finding in findings)))


def _show(console: Console, finding: Finding) -> None:
    level = f"[{_COLOURS[finding.level]}]{finding.level}[/]"
    console.print(f"{level}  {finding.name:<16} {escape(finding.detail)}")
    if finding.fix:
        console.print(f"      {'':<16} fix: {escape(finding.fix)}")
