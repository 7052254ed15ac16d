"""The virtual machine's system disk: Debian with systemd, cgroup v2 and rootless Podman.

Named by a hash of its recipe and built once; a run boots it with a throw-away overlay, so that
it never changes.
"""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from host import Unable, as_root, machine, run, say

SUITE = "trixie"
PACKAGES = (
    "ca-certificates",
    "crun",
    "dbus-user-session",
    "golang-github-containers-common",  # the seccomp profile
    "iproute2",
    "kmod",
    "libpam-systemd",
    "libseccomp2",
    "linux-image-cloud-arm64" if machine() == "aarch64" else "linux-image-cloud-amd64",
    "passt",
    "podman",
    "procps",
    "python3",
    "systemd-sysv",
    "udev",
    "uidmap",
)
DISK_SIZE = "12G"  # sparse
UNIT = """\
[Unit]
Description=Runs the job on the code disk, then powers off
After=multi-user.target

[Service]
ExecStart=/bin/sh -c 'udevadm settle; mkdir -p /code && mount -o ro LABEL=code /code && exec /code/guest/main'
StandardOutput=journal+console
StandardError=journal+console
ExecStopPost=systemctl poweroff --force

[Install]
WantedBy=graphical.target
"""
# A small initrd with just the disk's drivers, and no unit that only costs time under emulation.
_SETUP = r"""
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=list\nCOMPRESS=zstd\n' >"$1/etc/initramfs-tools/conf.d/soulbox"
mkdir -p "$1/etc/modules-load.d"
printf 'virtio_console\noverlay\n' >"$1/etc/modules-load.d/soulbox.conf"
printf 'virtio_pci\nvirtio_blk\next4\n' >>"$1/etc/initramfs-tools/modules"
"""
_CUSTOMIZE = r"""
set -eu
printf 'soulbox-vm\n' >"$1/etc/hostname"
printf '%s' "$UNIT" >"$1/etc/systemd/system/soulbox-vm.service"
chroot "$1" useradd --create-home --shell /bin/bash --add-subids-for-system --system soulbox
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer getty@tty1.service serial-getty@ttyS0.service \
    serial-getty@ttyAMA0.service systemd-timesyncd.service ldconfig.service; do
    chroot "$1" systemctl --quiet mask "$unit"
done
chroot "$1" systemctl --quiet enable soulbox-vm.service
chroot "$1" systemctl --quiet set-default graphical.target
rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/usr/share/doc "$1"/usr/share/man
"""
_TO_DISK = r"""
set -eu
cd "$1"
mkdir tree
tar --extract --numeric-owner --preserve-permissions --exclude='./dev/*' --directory tree \
    --file tree.tar
cp tree/boot/vmlinuz-* kernel
cp tree/boot/initrd.img-* initrd
mke2fs -q -t ext4 -L root -d tree disk "$2"
rm -rf tree tree.tar
"""


@dataclass(frozen=True)
class BaseImage:
    """What a machine boots from."""

    kernel: Path
    initrd: Path
    disk: Path


def ensure(cache: Path) -> BaseImage:
    """Build the image unless it is there."""
    recipe = [SUITE, PACKAGES, DISK_SIZE, UNIT, _SETUP, _CUSTOMIZE, _TO_DISK, machine()]
    name = f"base-{hashlib.sha256(json.dumps(recipe).encode()).hexdigest()[:16]}"
    if not (cache / name).is_dir():
        say("building the system disk (once; about a minute)")
        with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as work:
            os.chmod(work, 0o755)  # noqa: S103  (mmdebstrap's other user ids must pass)
            _build(Path(work) / name)
            (Path(work) / name).rename(cache / name)
        for old in cache.glob("base-*"):
            if old.name != name:
                shutil.rmtree(old)
    files = {file: cache / name / file for file in ("kernel", "initrd", "disk")}
    return BaseImage(**files)


def _build(directory: Path) -> None:
    directory.mkdir()
    hooks = directory / "hooks"
    hooks.mkdir()
    os.environ["UNIT"] = UNIT
    for name, text in (("setup", _SETUP), ("customize", _CUSTOMIZE)):
        (hooks / name).write_text(f"#!/bin/sh\n{text}")
        (hooks / name).chmod(0o755)
    run(
        [
            "mmdebstrap",
            "--variant=minbase",
            f"--include={','.join(PACKAGES)}",
            f"--essential-hook={hooks}/setup \"$1\"",
            f"--customize-hook={hooks}/customize \"$1\"",
            "--dpkgopt=force-unsafe-io",
            SUITE,
            str(directory / "tree.tar"),
        ]
    )
    shutil.rmtree(hooks)
    run(as_root(["sh", "-c", _TO_DISK, "to-disk", str(directory), DISK_SIZE]))
    if not (directory / "disk").exists():
        raise Unable(f"no disk came out in {directory}")
