"""Building every language's image from nothing, and again with nothing changed."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

import msgspec
from rich.console import Console
from rich.table import Table

from soulbox_core import registry, settings
from soulbox_core.images.catalog import Builder, image_tag
from soulbox_core.sandbox.podman_env import podman_environment

MIB = 1 << 20


def main() -> int:
    """Print the times and sizes; the code is 1 if the second build took two seconds or more."""
    loaded = settings.load(env=os.environ)
    # In the state directory and not in /tmp, which may be memory.
    fresh = tempfile.mkdtemp(prefix="bench-images-", dir=loaded.state_dir)
    loaded = msgspec.structs.replace(loaded, state_dir=fresh)
    try:
        return _measure(loaded)
    finally:
        # Podman keeps the storage mounted on itself.
        script = 'umount "$1/storage/overlay" 2>/dev/null; rm -rf "$1"'
        removing = ("podman", "unshare", "sh", "-c", script, "sh", fresh)
        subprocess.run(removing, env=podman_environment(loaded), check=False)
        shutil.rmtree(fresh, ignore_errors=True)


def _measure(loaded: settings.Settings) -> int:
    languages = registry.load(loaded).languages
    table = Table("image", "built in", "size")
    builder = Builder(loaded)
    start = time.perf_counter()
    for name, language in languages.items():
        began = time.perf_counter()
        builder.build(language, lambda text, fraction: None)
        seconds = time.perf_counter() - began
        sizes = {image.tag: image.bytes for image in builder.store.list()}
        table.add_row(name, f"{seconds:.1f} s", f"{sizes[image_tag(language)] / MIB:.0f} MiB")
    table.add_row("all", f"{time.perf_counter() - start:.1f} s", "")
    began = time.perf_counter()
    command = (sys.executable, "-m", "soulbox_core", "images", "build")
    environment = {**os.environ, "SOULBOX_STATE_DIR": loaded.state_dir}
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    again = time.perf_counter() - began
    table.add_row("all, again", f"{again:.2f} s (bar: under 2)", "")
    Console(width=100).print(table)
    return int(again >= 2)


if __name__ == "__main__":
    sys.exit(main())
