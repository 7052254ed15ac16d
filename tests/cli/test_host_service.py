"""soulbox install-service and uninstall-service, with a systemd of ours. VMs have a real one."""

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from soulbox_core.cli import host_service
from soulbox_core.cli.systemd import places, remains, service, unit
from soulbox_core.cli.systemd.places import Places, of_caller, of_host
from soulbox_core.cli.systemd.service import install, refuse, uninstall
from soulbox_core.cli.systemd.systemctl import Systemctl
from soulbox_core.errors import HostError
from tests.cli.conftest import Invoke
from tests.cli.systemctl import FakeSystemctl

PROGRAM = Path("/opt/soulbox/venv/bin/soulbox")
WORST = {0: 6.7, 257: 4.6}
"""The most that `systemd-analyze security` may find of a unit, by the systemd that it is for; 10 is
the worst."""


@pytest.fixture
def there(tmp_path: Path) -> Places:
    """Where the calling user would have a service, in a directory of the test's."""
    return Places(
        user=pwd.getpwuid(os.getuid()).pw_name,
        uid=os.getuid(),
        own=False,
        unit=tmp_path / "units" / "soulbox.service",
        settings=tmp_path / "settings",
        state=tmp_path / "state",
        runtime=tmp_path / "runtime",
        shared_memory=tmp_path,
    )


@pytest.fixture
def fake(tmp_path: Path, there: Places, monkeypatch: pytest.MonkeyPatch) -> FakeSystemctl:
    fake = FakeSystemctl(tmp_path / "bin", there.unit)
    monkeypatch.setenv("PATH", fake.path)
    return fake


@pytest.fixture
def systemctl(fake: FakeSystemctl, tmp_path: Path) -> Systemctl:
    return Systemctl(runs=tmp_path)


# the unit


@pytest.mark.parametrize("version", WORST)
def test_the_unit_is_no_more_exposed_than_it_was(version: int, tmp_path: Path) -> None:
    file = tmp_path / "soulbox.service"
    file.write_text(of_host().contents(PROGRAM, version).text())
    threshold = f"--threshold={round(WORST[version] * 10)}"
    analyze = ("systemd-analyze", "security", "--offline=true", "--no-pager", threshold, str(file))
    done = subprocess.run(analyze, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("version", WORST)
@pytest.mark.parametrize("whose", [of_host(), of_caller()], ids=["host", "own"])
def test_systemd_understands_every_line_of_the_unit(
    version: int, whose: Places, tmp_path: Path
) -> None:
    file = tmp_path / "soulbox.service"
    file.write_text(whose.contents(Path(shutil.which("true") or ""), version).text())
    verify = ("systemd-analyze", "verify", *(("--user",) if whose.own else ()), str(file))
    done = subprocess.run(verify, capture_output=True, text=True)
    assert str(file) not in done.stderr, done.stderr


def test_filters_are_left_to_a_systemd_that_leaves_newuidmap_its_rights() -> None:
    assert "SystemCallFilter" not in of_host().contents(PROGRAM, 256).text()
    assert "SystemCallFilter" in of_host().contents(PROGRAM, 257).text()
    assert "SystemCallFilter" not in of_caller().contents(PROGRAM, 257).text()


@pytest.mark.parametrize(
    "path", ["/opt/soul box/soulbox", "/opt/%i/soulbox", "/opt/$HOME/x", "/a\nb"]
)
def test_a_path_that_systemd_would_misread_is_refused(path: str) -> None:
    with pytest.raises(HostError, match="systemd would misread this as the program"):
        of_host().contents(Path(path), 257).text()


def test_a_changed_unit_is_told_from_one_as_it_was_written() -> None:
    text = of_host().contents(PROGRAM, 257).text()
    assert unit.is_as_written(text)
    assert not unit.is_as_written(text.replace("Restart=always", "Restart=no"))
    assert not unit.is_as_written(f"{text}[Service]\nUser=root\n")
    assert not unit.is_as_written("[Service]\nExecStart=/bin/true\n")


# installing


def test_it_is_enabled_and_started(
    there: Places, systemctl: Systemctl, fake: FakeSystemctl
) -> None:
    install(there, "[Service]\n", systemctl)
    assert fake.active
    assert "enable soulbox.service" in fake.asked
    assert fake.asked.index("daemon-reload") < fake.asked.index("restart soulbox.service")
    assert there.unit.read_text() == "[Service]\n"


def test_its_settings_are_for_the_service_alone_and_stay_as_they_are(
    there: Places, systemctl: Systemctl
) -> None:
    install(there, unit.sealed("[Service]\n"), systemctl)
    assert there.config.stat().st_mode & 0o777 == 0o640
    assert there.settings.stat().st_mode & 0o777 == 0o750
    there.config.write_text("log_level = 'debug'\n")
    install(there, unit.sealed("[Service]\n"), systemctl)
    assert there.config.read_text() == "log_level = 'debug'\n"


def test_an_edited_unit_is_not_overwritten_unless_that_is_asked_for(
    there: Places, systemctl: Systemctl, fake: FakeSystemctl
) -> None:
    there.unit.parent.mkdir()
    there.unit.write_text("[Service]\nUser=somebody\n")
    with pytest.raises(HostError, match=r"was edited.*systemctl edit soulbox; then give --force"):
        install(there, "[Service]\n", systemctl)
    assert there.unit.read_text() == "[Service]\nUser=somebody\n"
    assert fake.asked == []
    install(there, "[Service]\n", systemctl, force=True)
    assert there.unit.read_text() == "[Service]\n"


def test_one_of_an_earlier_version_is_replaced(there: Places, systemctl: Systemctl) -> None:
    install(there, unit.sealed("[Service]\n# old\n"), systemctl)
    install(there, unit.sealed("[Service]\n# new\n"), systemctl)
    assert "# new" in there.unit.read_text()


@pytest.mark.parametrize(
    ("text", "error"),
    [("broken", "Job for soulbox.service failed."), ("unwanted", "Failed to enable unit.")],
)
def test_one_that_does_not_start_is_taken_away_again(
    there: Places, systemctl: Systemctl, fake: FakeSystemctl, text: str, error: str
) -> None:
    said = rf"nothing was installed. .*{error}. It said:\nSoulBox is ready"
    with pytest.raises(HostError, match=said):
        install(there, text, systemctl)
    assert not there.unit.exists()
    assert not fake.active


def test_one_that_does_not_start_gives_way_to_the_one_before(
    there: Places, systemctl: Systemctl, fake: FakeSystemctl
) -> None:
    good = unit.sealed("[Service]\n")
    install(there, good, systemctl)
    for text in ("broken", "unwanted"):
        with pytest.raises(HostError, match="the unit before it runs again"):
            install(there, unit.sealed(text), systemctl)
    assert there.unit.read_text() == good
    assert fake.active


def test_the_command_says_how_to_try_the_service(
    there: Places,
    fake: FakeSystemctl,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    invoke: Invoke,
) -> None:
    monkeypatch.setattr(places, "of_host", lambda: there)
    monkeypatch.setattr(host_service, "Systemctl", lambda user: Systemctl(user=user, runs=tmp_path))
    monkeypatch.setattr(service, "refuse", lambda *_, **__: None)
    monkeypatch.setattr(service, "need_root", lambda _: None)
    done = invoke("install-service", "--program", str(PROGRAM))
    assert done.stdout.splitlines() == [
        "✓ soulbox.service serves 1 languages at http://127.0.0.1:8000. Try:",
        "  curl --data-binary 'first",
        "second' http://127.0.0.1:8000/v1/run/go",
    ]
    assert f"ExecStart={PROGRAM} serve" in there.unit.read_text()
    done = invoke("uninstall-service")
    assert done.stdout.strip().endswith(f"what it keeps stays: {there.settings}")


# removal


def test_removal_leaves_what_the_service_keeps_and_nothing_else(
    there: Places, systemctl: Systemctl, fake: FakeSystemctl
) -> None:
    install(there, unit.sealed("[Service]\n"), systemctl)
    for directory in (there.state / "instances", there.runtime / "libpod", there.drop_ins):
        directory.mkdir(parents=True)
    locks = there.shared_memory / f"libpod_rootless_lock_{there.uid}"
    locks.touch()
    for _ in range(2):
        uninstall(there, systemctl)
        assert not fake.active
        assert list(there.unit.parent.iterdir()) == [there.drop_ins]
        assert not there.runtime.exists()
        assert not locks.exists()
        assert there.config.exists()
        assert (there.state / "instances").exists()


def test_podmans_pause_process_is_ended_and_no_other(there: Places, tmp_path: Path) -> None:
    file = there.runtime / "libpod" / "tmp" / "pause.pid"
    file.parent.mkdir(parents=True)
    sleep = shutil.which("sleep")
    assert sleep
    shutil.copy(sleep, tmp_path / "catatonit")
    pause = subprocess.Popen([tmp_path / "catatonit", "1000"])
    other = subprocess.Popen([sleep, "1000"])
    try:
        file.write_text(str(other.pid))
        assert not remains.end_pause_process(there)
        file.write_text(str(pause.pid))
        assert remains.end_pause_process(there)
        assert pause.wait(10) == -9
        assert not file.exists()
        assert other.poll() is None
        assert not remains.end_pause_process(there)
    finally:
        for process in (pause, other):
            process.kill()
            process.wait()


# refusals


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-m", "soulbox_core", *arguments), capture_output=True, text=True
    )


def test_without_systemd_it_says_what_else_there_is(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="systemd does not run here; scripts/serve"):
        Systemctl(runs=tmp_path / "none")


def test_a_dry_run_prints_the_unit_and_needs_nothing() -> None:
    done = cli("install-service", "--dry-run", "--program", str(PROGRAM))
    assert done.returncode == 0, done.stderr
    assert f"ExecStart={PROGRAM} serve\n" in done.stdout
    assert unit.is_as_written(done.stdout)


@pytest.mark.parametrize(
    ("program", "message"),
    [("/no/such/soulbox", "there is no /no/such/soulbox"), ("here", "may not look into")],
)
def test_a_program_that_the_unit_could_not_start_is_refused(
    there: Places, systemctl: Systemctl, tmp_path: Path, program: str, message: str
) -> None:
    here = tmp_path / "soulbox"
    here.touch(mode=0o755)
    chosen = here if program == "here" else Path(program)
    with pytest.raises(HostError, match=message):
        refuse(there, chosen, systemctl, root=True, unified=True)


def test_a_program_that_the_services_user_could_change_is_refused(
    there: Places, systemctl: Systemctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_UNSEEN", ())
    program = tmp_path / "soulbox"
    program.touch(mode=0o755)
    with pytest.raises(HostError, match=f"{program} can be written by others than root"):
        refuse(there, program, systemctl, root=True, unified=True)


@pytest.mark.parametrize("mode", [0o644, 0o664, 0o666])
def test_so_is_one_whose_modules_that_user_could_change(
    there: Places, systemctl: Systemctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    monkeypatch.setattr(service, "_UNSEEN", ())
    monkeypatch.setattr(os, "getgrouplist", lambda *_: [os.getgid()])
    nobodys = msgspec.structs.replace(there, user="nobody", uid=pwd.getpwnam("nobody").pw_uid)
    program = tmp_path / "venv/bin/soulbox"
    module = tmp_path / "venv/lib/site-packages/soulbox.py"
    for file in (program, module, tmp_path / "venv/pyvenv.cfg"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        file.chmod(0o755)
    refuse(nobodys, program, systemctl, root=True, unified=True)
    module.chmod(mode)
    if mode == 0o644:
        refuse(nobodys, program, systemctl, root=True, unified=True)
    else:
        with pytest.raises(HostError, match=f"{module} can be written by others than root"):
            refuse(nobodys, program, systemctl, root=True, unified=True)


def test_a_host_a_user_or_a_caller_that_is_not_fit_is_refused(
    there: Places, systemctl: Systemctl
) -> None:
    program = Path(sys.executable)
    with pytest.raises(HostError, match=r"this host has cgroup v1.*unified_cgroup_hierarchy=1"):
        refuse(there, program, systemctl, root=True, unified=False)
    with pytest.raises(HostError, match="use sudo, or give --user"):
        refuse(there, program, systemctl, root=False, unified=True)
    nobody = of_host("nobody-at-all")
    with pytest.raises(HostError, match="there is no user nobody-at-all; scripts/install"):
        refuse(nobody, program, systemctl, root=True, unified=True)
