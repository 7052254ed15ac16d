"""Volumes that a run asks for, paths of the image that it may not see, and ways to get round."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.patience import patient
from tests.integration.service import Service

SECRET = "not for programs"
HIDDEN_DIRECTORY = "/usr/share/zoneinfo"
HIDDEN_FILE = "/etc/debian_version"
HIDDEN_BY_LINK = "/lib/os-release"
"""/lib is a link, and the file is known by other names."""
KEPT_SCRATCH = {"limits": {"scratch_bytes": 1 << 20}}
"""Asks for what no parked cell has, so that one is made to order."""
WAYS = pytest.mark.parametrize("options", [{}, KEPT_SCRATCH], ids=["parked", "made to order"])

TRY = """
import json, os, sys

def attempt(work):
    try:
        return repr(work())
    except Exception as error:
        return type(error).__name__
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A host's directory, with links that lead out of it on the host."""
    top = tmp_path_factory.mktemp("host")
    (top / "secret").write_text(SECRET)
    directory = top / "data"
    (directory / "deep").mkdir(parents=True)
    (directory / "iris.csv").write_text("a,b\n1,2\n")
    (directory / "deep" / "more.csv").write_text("3\n")
    (directory / "tool").write_text("#!/bin/sh\necho tool\n")
    (directory / "tool").chmod(0o755)
    (directory / "absolute").symlink_to(top / "secret")
    (directory / "relative").symlink_to("../secret")
    (directory / "far").symlink_to("/../../../../../../etc/passwd")
    (directory / "private").write_text(SECRET)
    (directory / "private").chmod(0o600)
    directory.chmod(0o755)
    return directory


@pytest.fixture(scope="module")
def holding(data: Path) -> Iterator[Service]:
    volumes = f'{{"datasets/iris"="{data}","other"="{data}/deep","kept"="{data}"}}'
    hidden = json.dumps([f"{HIDDEN_DIRECTORY}/", HIDDEN_FILE, HIDDEN_BY_LINK, "/no/such/path"])
    service = Service(
        "test-volumes",
        f"volumes={volumes}",
        'policies.default.mounts=["datasets/*","other"]',
        f"policies.default.hidden={hidden}",
        "languages.python.preloads=[]",
        "pool.parked=1",
    )
    yield service
    assert service.stop() == 0, service.said()


def told(service: Service, code: str, **options: Any) -> Any:
    return json.loads(service.output(TRY + code, **options))


# Volumes


def test_a_volume_is_seen_where_it_was_asked_for_and_nowhere_else(holding: Service) -> None:
    code = """
found = {top: sorted(names + files) for top, names, files in os.walk("/volumes")}
print(json.dumps(found))
"""
    assert told(holding, code, mounts=["datasets/iris"]) == {
        "/volumes": ["datasets"],
        "/volumes/datasets": ["iris"],
        "/volumes/datasets/iris": sorted(
            ["absolute", "deep", "far", "iris.csv", "private", "relative", "tool"]
        ),
        "/volumes/datasets/iris/deep": ["more.csv"],
    }
    both = told(holding, code, mounts=["other", "datasets/iris", "other"])
    assert both["/volumes"] == ["datasets", "other"]
    assert told(holding, code) == {"/volumes": []}


def test_a_volume_is_read_only_and_may_be_executed(holding: Service) -> None:
    code = """
import subprocess
top = "/volumes/datasets/iris"
print(json.dumps([
    open(top + "/iris.csv").read(),
    subprocess.check_output([top + "/tool"]).decode(),
    attempt(lambda: open(top + "/iris.csv", "a")),
    attempt(lambda: open(top + "/new", "w")),
    attempt(lambda: os.unlink(top + "/iris.csv")),
    attempt(lambda: os.chmod(top + "/iris.csv", 0o777)),
    attempt(lambda: os.mkdir("/volumes/new")),
    attempt(lambda: os.rename("/volumes/datasets", "/volumes/d")),
    attempt(lambda: os.link(top + "/iris.csv", "/box/linked")),
    attempt(lambda: os.utime(top + "/iris.csv")),
]))
"""
    seen, ran, *refused = told(holding, code, mounts=["datasets/iris"])
    assert (seen, ran) == ("a,b\n1,2\n", "tool\n")
    assert set(refused) <= {"OSError", "PermissionError"}, refused


def test_no_link_of_a_volume_leads_out_of_the_cell(holding: Service) -> None:
    code = """
top = "/volumes/datasets/iris"
names = ("absolute", "relative", "far", "private", "../../../secret", "deep/../../secret")
print(json.dumps([attempt(lambda: open(f"{top}/{name}").read()) for name in names]))
"""
    answers = told(holding, code, mounts=["datasets/iris"])
    assert SECRET not in json.dumps(answers)
    assert [answers[0], answers[1], *answers[3:]] == [
        "FileNotFoundError",
        "FileNotFoundError",
        "PermissionError",
        "FileNotFoundError",
        "FileNotFoundError",
    ]
    assert answers[2] == told(holding, "print(json.dumps(attempt(open('/etc/passwd').read)))")


def test_a_volume_that_was_not_asked_for_is_not_to_be_had(holding: Service, data: Path) -> None:
    code = """
paths = ["/soulbox/volumes", "/volumes/kept", "/volumes/other", "/proc/self/root/volumes/other",
         "/proc/self/cwd/../volumes/other", "/proc/1/root/soulbox/volumes", DATA]
paths += [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
print(json.dumps([attempt(lambda: os.listdir(path)) for path in paths]))
""".replace("DATA", repr(str(data)))
    answers = told(holding, code, mounts=["datasets/iris"])
    known = {"FileNotFoundError", "NotADirectoryError", "PermissionError"}
    assert set(answers) <= known, answers


@pytest.mark.parametrize("name", ["kept", "unknown", "datasets", "../etc", "/etc", "datasets/../x"])
def test_what_is_not_granted_is_refused(holding: Service, name: str) -> None:
    assert holding.post("print(1)", mounts=[name]).status_code in (400, 403, 422)


def test_what_is_granted_and_does_not_exist_is_refused_in_words(holding: Service) -> None:
    response = holding.post("print(1)", mounts=["datasets/none"])
    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert "datasets/none" in response.json()["detail"]


def test_a_service_whose_volume_is_not_there_says_so_and_does_not_start() -> None:
    command = [sys.executable, "-m", "soulbox_core", "serve", "--set", "server.port=0"]
    sets = ("instance=test-novolume", 'volumes={"a"="/no/such/place"}', "auth.enabled=false")
    done = subprocess.run(
        [*command, *(word for one in sets for word in ("--set", one))],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=patient(50),
        check=False,
    )
    assert done.returncode != 0
    assert "volumes.a: /no/such/place: No such file or directory" in done.stderr


# Hidden paths


@WAYS
def test_a_hidden_path_is_empty_however_it_is_spelled(
    holding: Service, options: dict[str, Any]
) -> None:
    code = f"""
directory, file = {HIDDEN_DIRECTORY!r}, {HIDDEN_FILE!r}
os.symlink(directory, "/box/link")
os.symlink(file, "/tmp/link")
os.symlink("/", "/box/root")
os.chdir("/usr/share")
top = os.open("/usr/share", os.O_PATH)
inner = os.open(directory, os.O_PATH)
print(json.dumps([
    [attempt(lambda: os.listdir(path)) for path in (
        directory, directory + "/.", "/box/link", "/usr/share/../share/zoneinfo", "zoneinfo",
        "/usr/./share//zoneinfo", "/proc/self/root" + directory, "/proc/self/cwd/zoneinfo",
        "/proc/thread-self/root" + directory, f"/proc/self/fd/{{top}}/zoneinfo",
        f"/proc/self/fd/{{inner}}", "/box/root" + directory, "/../../.." + directory)],
    [attempt(lambda: open(path).read()) for path in (
        file, "/tmp/link", "/etc/../etc/debian_version", "/proc/self/root" + file,
        "/box/root" + file, "/lib/os-release", "/usr/lib/os-release", "/etc/os-release")],
    [attempt(lambda: open(path).read()) for path in (
        directory + "/UTC", "/proc/self/root" + directory + "/UTC", "/box/link/Etc/UTC",
        f"/proc/self/fd/{{top}}/zoneinfo/UTC", "/proc/1/root" + directory + "/UTC")],
    attempt(lambda: os.open("zoneinfo/UTC", os.O_RDONLY, dir_fd=top)),
    attempt(lambda: os.open("../zoneinfo/UTC", os.O_RDONLY, dir_fd=inner)),
]))
"""
    listed, read, inside, *opened = told(holding, code, **options)
    assert set(listed) == {"[]"}, listed
    assert set(read) == {"''"}, read
    assert set(inside) <= {"FileNotFoundError", "PermissionError"}, inside
    assert set(opened) == {"FileNotFoundError"}, opened


@WAYS
def test_a_hidden_path_cannot_be_uncovered(holding: Service, options: dict[str, Any]) -> None:
    code = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
directory, file = {HIDDEN_DIRECTORY!r}.encode(), {HIDDEN_FILE!r}.encode()

def call(function, *arguments):
    ctypes.set_errno(0)
    return function(*arguments) == -1 and os.strerror(ctypes.get_errno())

maps = "/proc/self/map_files"
MS_BIND, MS_MOVE, MNT_DETACH, NEWUSER, NEWNS = 4096, 8192, 2, 0x10000000, 0x20000
calls = [
    call(libc.umount2, directory, MNT_DETACH),
    call(libc.umount2, file, 0),
    call(libc.mount, b"/", b"/box", None, MS_BIND, None),
    call(libc.mount, directory, b"/box", None, MS_MOVE, None),
    call(libc.unshare, NEWUSER | NEWNS),
    call(libc.unshare, NEWNS),
    call(libc.chroot, b"/box"),
    call(libc.pivot_root, b"/", b"/box"),
    call(libc.syscall, 428, -100, b"/", 1),  # open_tree, to clone the mount below
    call(libc.syscall, 430, b"tmpfs", 0),  # fsopen
    call(libc.setns, os.open("/proc/self/ns/mnt", os.O_RDONLY), NEWNS),
    attempt(lambda: os.link(file, "/box/hard")),
    attempt(lambda: os.rename(directory, "/usr/share/zone")),
    attempt(lambda: os.rmdir(directory)),
    attempt(lambda: os.chmod(directory, 0o777)),
    attempt(lambda: open(directory + b"/x", "w")),
    attempt(lambda: [open(f"{{maps}}/{{name}}").read(1) for name in os.listdir(maps)][0]),
]
print(json.dumps([calls, os.listdir(directory.decode()), open(file).read()]))
"""
    calls, listed, read = told(holding, code, **options)
    assert all(isinstance(one, str) for one in calls), calls
    assert not [one for one in calls if one[:1] in "[<0123456789N"], calls
    assert (listed, read) == ([], "")


def test_the_template_leaves_no_descriptor_open(holding: Service) -> None:
    code = """
print(json.dumps([os.readlink(f"/proc/self/fd/{n}").partition(":")[0] for n in (0, 1, 2)]
    + [len(os.listdir("/proc/self/fd"))]))
"""
    assert told(holding, code) == ["/dev/null", "pipe", "pipe", 4]


def test_others_see_what_is_not_hidden_from_them(service: Service) -> None:
    code = (
        f"print(json.dumps([len(os.listdir({HIDDEN_DIRECTORY!r})), open({HIDDEN_FILE!r}).read()]))"
    )
    listed, read = told(service, code)
    assert listed > 10
    assert read
