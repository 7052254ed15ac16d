"""Writes images of this instance's storage as a store of their own, to be carried elsewhere.

Runs inside `podman unshare`, since only there can a rootless user mount an image:

    podman unshare python3 -m soulbox_core.images.bake TAR OWNER SUBORDINATE TAG...

The store is what Podman calls an additional image store (containers-storage.conf(5)): another
instance reads it where it lies and writes nothing to it. So the owners of its files must be
right from the start for who will read it: a rootless user with the id OWNER and the subordinate
ids from SUBORDINATE on, for whom root of an image is OWNER, and its user n SUBORDINATE + n - 1.

Each image becomes a single layer. A layer upon another may hold whiteouts, and where the store
itself is part of an image, the kernel would take them for that image's.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from soulbox_core.images.pypi_layer import mounted

OWNER = 1000
"""The service's user in SoulBox's own container image, see Containerfile."""
SUBORDINATE = 10000
"""Its first subordinate id there."""
_NOT_IN_A_STORE = ("backingFsBlockDev", "db.sql", "defaultNetworkBackend", "libpod", "tmp")
"""What Podman keeps about the machine it runs on."""


class Store:
    """A store in the making.

    :param work: an empty directory, where it comes to lie as `store`
    :param runroot: another, whose path has at most 50 characters, or Podman refuses it
    """

    def __init__(self, work: Path, runroot: str) -> None:
        self.directory = work / "store"
        self._work = work
        self._podman = (
            *("podman", "--root", str(self.directory), "--runroot", runroot),
            "--storage-driver=overlay",
        )

    def add(self, image: str, owner: int, subordinate: int) -> None:
        """Put an image in, as one layer.

        :raises CalledProcessError: tar or Podman failed
        """
        with mounted(image) as root:
            users, groups = _ids(root)
            tar = (
                *("tar", "--create", "--numeric-owner", f"--directory={root}"),
                f"--owner-map={_map(self._work / 'users', users, owner, subordinate)}",
                f"--group-map={_map(self._work / 'groups', groups, owner, subordinate)}",
                # Device nodes are whiteouts to an overlay, and a cell has a /dev of its own.
                *("--exclude=./dev/*", "."),
            )
            with subprocess.Popen(tar, stdout=subprocess.PIPE) as packing:
                subprocess.run(
                    (*self._podman, "import", "--quiet", "-", image),
                    check=True,
                    stdin=packing.stdout,
                    stdout=subprocess.DEVNULL,
                )
            if packing.returncode:
                raise subprocess.CalledProcessError(packing.returncode, "tar")

    def tag(self, image: str, tag: str) -> None:
        """Give an image that is in one more name.

        :raises CalledProcessError: Podman failed
        """
        subprocess.run((*self._podman, "tag", image, tag), check=True)


def give(store: Path, owner: int) -> None:
    """Leave only what the store's reader needs, and make that its own.

    What is below `overlay/LAYER/diff`, the files of the images, has its owners already; not the
    directory itself, which `podman import` makes.
    """
    for name in _NOT_IN_A_STORE:
        unwanted = store / name
        if unwanted.is_dir():
            shutil.rmtree(unwanted)
        else:
            unwanted.unlink(missing_ok=True)
    for directory, names, files in os.walk(store):
        for name in (*names, *files):
            os.chown(os.path.join(directory, name), owner, owner, follow_symlinks=False)
        if "diff" in names:
            names.remove("diff")
    os.chown(store, owner, owner)
    store.chmod(0o755)


def _ids(root: Path) -> tuple[set[int], set[int]]:
    """The users and groups that own anything below a directory."""
    users, groups = {0}, {0}
    for directory, names, files in os.walk(root):
        for name in (*names, *files):
            status = os.lstat(os.path.join(directory, name))
            users.add(status.st_uid)
            groups.add(status.st_gid)
    return users, groups


def _map(file: Path, ids: set[int], owner: int, subordinate: int) -> Path:
    """Write what GNU tar's --owner-map and --group-map read: `+OLD NAME:NEW`."""
    lines = (f"+{one} _:{subordinate + one - 1 if one else owner}\n" for one in sorted(ids))
    file.write_text("".join(lines))
    return file


def main(tar: str, owner: str, subordinate: str, *tags: str) -> None:
    """See the module."""
    with (
        tempfile.TemporaryDirectory(dir=Path(tar).parent) as work,
        tempfile.TemporaryDirectory() as runroot,
    ):
        store = Store(Path(work), runroot)
        images: dict[str, str] = {}
        for done, tag in enumerate(tags):
            print(f"{done} {tag}", flush=True)
            version = tag.rpartition(":")[2]  # a hash of what is in it, so the same for the same
            if version in images:
                store.tag(images[version], tag)
            else:
                store.add(tag, int(owner), int(subordinate))
                images[version] = tag
        print(f"{len(tags)} packing", flush=True)
        give(store.directory, int(owner))
        subprocess.run(
            (
                *("tar", "--create", "--numeric-owner", f"--file={tar}"),
                *(f"--directory={store.directory}", "."),
            ),
            check=True,
        )


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except subprocess.CalledProcessError as error:
        raise SystemExit(str(error)) from None  # it has said itself what is wrong
