"""The tree's tar file: the right command line, and a whole file or none."""

import os
from pathlib import Path

import pytest

from soulbox_core.errors import ImageError
from soulbox_core.images.recipe import SUITE
from soulbox_core.images.tree import make_tar, mmdebstrap_argv


def test_command_line_needs_no_root_and_names_packages_and_sources() -> None:
    argv = mmdebstrap_argv(
        ("gcc", "python3"), ("deb http://mirror.example/debian x main",), Path("/t")
    )
    assert argv[:2] == ("mmdebstrap", "--mode=unshare")
    assert "--include=gcc,python3" in argv
    assert argv[-3:] == (SUITE, "/t", "deb http://mirror.example/debian x main")


def test_without_sources_mmdebstrap_chooses_debians_own() -> None:
    assert mmdebstrap_argv(("python3",), (), Path("/t"))[-2:] == (SUITE, "/t")


def stand_in(directory: Path, script: str) -> dict[str, str]:
    """An environment whose mmdebstrap is a shell script; `$target` is what it is to write."""
    file = directory / "mmdebstrap"
    last = "for word; do case $word in *.part) target=$word;; esac; done\n"
    file.write_text(f"#!/bin/sh\n{last}{script}\n")
    file.chmod(0o755)
    return {"PATH": f"{directory}:{os.environ['PATH']}"}


def test_a_failed_build_leaves_no_tar_behind(tmp_path: Path) -> None:
    env = stand_in(tmp_path, 'echo half > "$target"; echo "E: no such package" >&2; exit 1')
    tar = tmp_path / "tree.tar"
    with pytest.raises(ImageError, match="no such package"):
        make_tar(("x",), (), tar, env, lambda text, fraction: None)
    assert not tar.exists()


def test_a_finished_build_sweeps_away_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / "other.tar.1.part").write_text("half")
    env = stand_in(tmp_path, 'echo "I: extracting archives..."; echo whole > "$target"')
    told: list[tuple[str, float]] = []
    tar = tmp_path / "tree.tar"
    make_tar(("x",), (), tar, env, lambda text, fraction: told.append((text, fraction)))
    assert tar.read_text() == "whole\n"
    assert not list(tmp_path.glob("*.part"))
    assert [text for text, _ in told] == ["extracting archives"]
    assert 0 < told[0][1] < 1
