"""The virtual machine's system disk: Debian with systemd, cgroup v2 and rootless Podman.

Named by a hash of its recipe and built once. A run boots it below a throw-away overlay, so that
it never changes.
"""

import hashlib
import json
import platform
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools import run, run_as_root, say

SUITE = "trixie"
PYTHON = "3.13"  # the suite's
MACHINE = platform.machine()
_KERNELS = {"x86_64": "linux-image-cloud-amd64", "aarch64": "linux-image-cloud-arm64"}
_USER_MODE_SUITE = "forky"
"""Where User Mode Linux is taken from: that of trixie, 6.12, crashes when a fork fails for want of
memory in a cgroup."""
_PACKAGES = (
    # what makes it a host
    "dbus-user-session",
    "iproute2",
    "kmod",
    "libpam-systemd",
    _KERNELS[MACHINE],
    "procps",
    "sudo",
    "systemd-sysv",
    "udev",
    # what scripts/serve and scripts/test would install
    "ca-certificates",
    "crun",
    "debian-archive-keyring",
    "git",
    "golang-github-containers-common",
    "haproxy",
    "libseccomp2",
    "mmdebstrap",
    "podman",
    "promtool",
    "python3-venv",
    "redis-server",
    "uidmap",
    # what somebody who deploys a container of the service has
    "aardvark-dns",
    "catatonit",
    "netavark",
    "nftables",
    "passt",
    "podman-compose",
    # the README's examples
    "curl",
)
_DISK_SIZE = "16G"
_UNIT = """\
[Unit]
Description=Runs the job on the code disk, then powers off
After=multi-user.target

[Service]
ExecStartPre=udevadm settle
ExecStart=/bin/sh -c 'mkdir -p /code && mount -o ro LABEL=code /code && exec /code/guest/main'
ExecStopPost=systemctl poweroff --force
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=graphical.target
"""
_NETWORK = """\
[Match]
Type=ether
Kind=!*

[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
"""
_BEFORE_THE_KERNEL = r"""#!/bin/sh
set -eu
cd "$1/etc"
mkdir -p initramfs-tools/conf.d modules-load.d
# a small initrd, with no more than it takes to find the disk
printf 'MODULES=list\nCOMPRESS=zstd\n' >initramfs-tools/conf.d/soulbox
printf 'virtio_pci\nvirtio_blk\next4\n' >>initramfs-tools/modules
printf 'virtio_console\nvirtio_net\noverlay\n' >modules-load.d/soulbox.conf
"""
_AT_THE_END = r"""#!/bin/sh
set -eu
here=$(dirname "$0")
printf 'soulbox-vm\n' >"$1/etc/hostname"
printf '127.0.0.1 localhost soulbox-vm\n::1 localhost\n' >"$1/etc/hosts"
cp "$here/unit" "$1/etc/systemd/system/soulbox-vm.service"
# QEMU's own network: it has no DHCP to wait for, and this is its name server
cp "$here/network" "$1/etc/systemd/network/soulbox.network"
rm -f "$1/etc/resolv.conf"
printf 'nameserver 10.0.2.3\n' >"$1/etc/resolv.conf"
# who installs as root gets this user, as scripts/lib/user.sh makes it
chroot "$1" useradd --system --user-group --no-create-home --home-dir /var/lib/soulbox \
    --shell /usr/sbin/nologin soulbox
chroot "$1" usermod --add-subuids 200000-265535 --add-subgids 200000-265535 soulbox
# who installs as a normal user is this one, whose systemd runs from boot on
chroot "$1" useradd --create-home --shell /bin/bash --uid 1000 tester
printf 'tester ALL=(ALL) NOPASSWD: ALL\n' >"$1/etc/sudoers.d/tester"
mkdir -p "$1/var/lib/systemd/linger"
touch "$1/var/lib/systemd/linger/tester"
# nothing that only costs time
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer getty@tty1.service serial-getty@ttyS0.service \
    serial-getty@ttyAMA0.service systemd-timesyncd.service ldconfig.service \
    systemd-journal-catalog-update.service systemd-hwdb-update.service \
    systemd-networkd-wait-online.service haproxy.service redis-server.service \
    podman-auto-update.timer podman-auto-update.service podman-restart.service podman.socket; do
    chroot "$1" systemctl --quiet mask "$unit"
done
chroot "$1" systemctl --quiet enable systemd-networkd.service soulbox-vm.service
chroot "$1" systemctl --quiet set-default graphical.target
rm -rf "$1"/var/cache/apt/archives/*.deb "$1"/usr/share/doc "$1"/usr/share/man
"""
_TO_DISK = r"""
set -eu
cd "$1"
mkdir tree
tar --extract --numeric-owner --preserve-permissions --exclude='./dev/*' -C tree -f tree.tar
cp tree/boot/vmlinuz-* kernel
cp tree/boot/initrd.img-* initrd
mkdir user-mode
if [ -e user-mode.tar ]; then
    mkdir found
    tar --extract -C found -f user-mode.tar
    cp -r found/usr/lib/uml/modules/* tree/usr/lib/modules/
    # It takes its loader and libc from where it is started, since the host's may be older. The
    # slashes make the name as long as the one before.
    LC_ALL=C sed 's|/lib64/ld-linux-x86-64[.]so[.]2|./////////////////////ld.so|' \
        found/usr/bin/linux.uml >user-mode/linux
    chmod +x user-mode/linux
    cp -L found/usr/lib/x86_64-linux-gnu/libc.so.6 user-mode/
    cp -L found/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 user-mode/ld.so
    rm -rf found user-mode.tar
fi
mke2fs -q -t ext4 -L root -d tree disk "$2"
rm -rf tree tree.tar
"""


@dataclass(frozen=True)
class Base:
    """What a machine boots from."""

    kernel: Path
    initrd: Path
    disk: Path
    user_mode: Path
    """Directory of Linux as a program, to be started there; empty where there is none."""


def ensure(cache: Path) -> Base:
    """Build the system disk unless it is there."""
    recipe = [
        *(SUITE, _USER_MODE_SUITE, _PACKAGES, _DISK_SIZE, _UNIT, _NETWORK),
        *(_BEFORE_THE_KERNEL, _AT_THE_END, _TO_DISK),
    ]
    name = f"base-{hashlib.sha256(json.dumps([MACHINE, recipe]).encode()).hexdigest()[:16]}"
    if not (cache / name).is_dir():
        say("building the machine's system disk; once, about a minute")
        with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as work:
            Path(work).chmod(0o755)  # mmdebstrap's other user ids must pass
            _build(Path(work) / name)
            (Path(work) / name).rename(cache / name)
        for old in cache.glob("base-*"):
            if old.name != name:
                shutil.rmtree(old)
    return Base(*(cache / name / file for file in ("kernel", "initrd", "disk", "user-mode")))


def _build(directory: Path) -> None:
    hooks = directory / "hooks"
    hooks.mkdir(parents=True)
    for name, text in (
        ("before", _BEFORE_THE_KERNEL),
        ("end", _AT_THE_END),
        ("unit", _UNIT),
        ("network", _NETWORK),
    ):
        (hooks / name).write_text(text)
        (hooks / name).chmod(0o755)
    run(
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join(_PACKAGES)}",
        f'--essential-hook={hooks}/before "$1"',
        f'--customize-hook={hooks}/end "$1"',
        "--dpkgopt=force-unsafe-io",
        SUITE,
        str(directory / "tree.tar"),
    )
    if MACHINE == "x86_64":
        run(
            "mmdebstrap",
            "--variant=extract",
            "--include=user-mode-linux",
            '--aptopt=Acquire::Check-Valid-Until "false"',  # of a mirror that is a snapshot
            _USER_MODE_SUITE,
            str(directory / "user-mode.tar"),
        )
    run_as_root("sh", "-c", _TO_DISK, "to-disk", str(directory), _DISK_SIZE)
    shutil.rmtree(hooks)
