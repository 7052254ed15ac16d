"""Write a disk with images out of a Podman storage, layers as they are; run by `podman unshare`.

Usage: storage.py GRAPHROOT DISK TAG...

Loading them in the machine would take half an hour under emulation. The owners on the disk are
those that the images name, as they are seen here: 0 is root, 1000 the first user. The machine
maps them to the ids of whose storage it becomes, when it mounts the disk.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_LINKS = "l"
"""Short names of layers, which Podman puts into the options of a mount."""
_SIZE = "12G"
"""With room for what tests build; what is not used takes no room on the host."""
_OPTIONS = ("-t", "ext4", "-L", "storage", "-O", "^has_journal", "-m", "0")

_Record = dict[str, Any]
"""Of containers-storage's own JSON. It has more fields than matter here, so it is passed on."""


def main() -> None:
    """Choose, mount together, write."""
    graphroot, disk, *tags = sys.argv[1:]
    source = Path(graphroot)
    images = _chosen(_records(source, "images"), frozenset(tags))
    layers = list(_below(_records(source, "layers"), (image["layer"] for image in images)))
    with tempfile.TemporaryDirectory() as directory:
        stage = Path(directory)
        stage.chmod(0o700)
        for name, records in (("images", images), ("layers", layers)):
            (stage / f"overlay-{name}").mkdir(mode=0o700)
            (stage / f"overlay-{name}" / f"{name}.json").write_text(json.dumps(records))
        (stage / "overlay" / _LINKS).mkdir(parents=True)
        mounts = [path for one in layers for path in _take_layer(source, stage, one["id"])]
        mounts += [_bind(source, stage, f"overlay-images/{one['id']}") for one in images]
        try:
            subprocess.run(("mke2fs", "-q", *_OPTIONS, "-d", stage, disk, _SIZE), check=True)
        finally:
            subprocess.run(("umount", *mounts), check=True)


def _records(source: Path, name: str) -> list[_Record]:
    records: list[_Record] = json.loads((source / f"overlay-{name}" / f"{name}.json").read_text())
    return records


def _chosen(images: Iterable[_Record], tags: frozenset[str]) -> list[_Record]:
    chosen = [
        {**image, "names": [name for name in image.get("names") or () if name in tags]}
        for image in images
    ]
    return [image for image in chosen if image["names"]]


def _below(layers: Iterable[_Record], tops: Iterable[str]) -> Iterator[_Record]:
    """The layers that images are made of, in the order of the record."""
    by_id = {layer["id"]: layer for layer in layers}
    wanted = set()
    for top in tops:
        layer: str | None = top
        while layer and layer not in wanted:
            wanted.add(layer)
            layer = by_id[layer].get("parent")
    return (layer for id_, layer in by_id.items() if id_ in wanted)


def _take_layer(source: Path, stage: Path, layer: str) -> Iterator[Path]:
    """Put a layer into the stage; yields what was mounted for it."""
    link = (source / "overlay" / layer / "link").read_text()
    (stage / "overlay" / _LINKS / link).symlink_to(f"../{layer}/diff")
    split = Path("overlay-layers") / f"{layer}.tar-split.gz"
    (stage / split).write_bytes((source / split).read_bytes())
    yield _bind(source, stage, f"overlay/{layer}")


def _bind(source: Path, stage: Path, name: str) -> Path:
    """Show a directory of the source in the stage: what is in it need not be copied."""
    place = stage / name
    place.mkdir(mode=0o700)
    subprocess.run(("mount", "--bind", source / name, place), check=True)
    return place


if __name__ == "__main__":
    main()
