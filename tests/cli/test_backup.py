"""soulbox export and soulbox import, from one database into another, both real."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import Result

from soulbox_core.cli import COMMANDS, application
from soulbox_core.cli.backup_file import LINE_BYTES
from soulbox_core.settings import Database
from soulbox_core.store.migrations import VERSION
from soulbox_core.store.opening import Stores, open_database
from soulbox_core.store.records import Content, Execution, ExecutionQuery
from tests.cli.conftest import Invoke
from tests.store.samples import NOW, api_key, family
from tests.store.server import surreal_server

T = TypeVar("T")

CALLER = "key:k1"


def execution(number: int) -> Execution:
    return Execution(
        id=f"01890a5d-ac96-774b-bcce-{number:012x}",
        caller=CALLER,
        language="lua",
        status="ok",
        created_at=NOW + number,
        node="n1",
        request_id=f"r{number}",
        exit_code=0,
        content=Content(stdout=b"\xff\0", args=("a",)),
    )


def use(state: Path, do: Callable[[Stores], Awaitable[T]]) -> T:
    """Do something with the database of a state directory."""

    async def opened() -> T:
        async with open_database(Database(), state / "instances" / "main" / "database") as stores:
            return await do(stores)

    return asyncio.run(opened())


async def fill(stores: Stores) -> None:
    await stores.identities.put_key(api_key(id="k1"))
    await stores.identities.put_key(api_key(id="k2", name="Grüße"))
    await stores.identities.add_family(family())
    await stores.executions.add("b1", [execution(number) for number in range(3)])


async def everything(stores: Stores) -> list[tuple[str, dict[str, object]]]:
    return [(table, json.loads(json.dumps(row))) async for table, row in stores.dump.rows()]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory whose database has something in it."""
    monkeypatch.setenv("SOULBOX_STATE_DIR", str(tmp_path / "state"))
    use(tmp_path / "state", fill)
    return tmp_path / "state"


@pytest.fixture
def backup(state: Path, tmp_path: Path, invoke: Invoke) -> Path:
    file = tmp_path / "backup.jsonl"
    done = invoke("export", str(file))
    assert done.exit_code == 0, done.output + repr(done.exception)
    return file


def restored(invoke: Invoke, state: Path, *words: str, stdin: bytes = b"") -> Result:
    return invoke("import", *words, "--state-dir", str(state), stdin=stdin)


def test_what_was_exported_is_there_again(
    backup: Path, state: Path, tmp_path: Path, invoke: Invoke
) -> None:
    done = restored(invoke, tmp_path / "new", str(backup))
    assert done.exit_code == 0, done.output + repr(done.exception)
    there = use(tmp_path / "new", everything)
    assert there == use(state, everything)
    assert {table for table, _ in there} >= {"api_key", "family", "execution"}
    assert f"imported {len(there)} records" in done.stderr

    async def look(stores: Stores) -> None:
        assert await stores.identities.keys() == (api_key(id="k1"), api_key(id="k2", name="Grüße"))
        assert await stores.identities.family_of_session("s1") == family()
        assert await stores.executions.execution(execution(2).id) == execution(2)
        found = await stores.executions.executions(ExecutionQuery(caller=CALLER))
        assert [each.id for each in found] == [execution(number).id for number in (2, 1, 0)]
        (day,) = await stores.executions.usage(CALLER, "2000-01-01", "2100-01-01")
        assert day.runs == 3

    use(tmp_path / "new", look)


def test_a_backup_is_for_its_owner_alone(backup: Path, tmp_path: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == [backup.name]


def test_the_lines_of_a_backup(backup: Path, state: Path) -> None:
    *before, last = backup.read_bytes().splitlines(keepends=True)
    header = json.loads(before[0])
    assert header.pop("at").endswith("Z")
    assert header == {"soulbox": 1, "kind": "backup", "version": VERSION}
    rows = [json.loads(line) for line in before[1:]]
    assert [(row["table"], row["row"]) for row in rows] == use(state, everything)
    digest = sha256(b"".join(before)).hexdigest()
    assert json.loads(last) == {"end": True, "rows": len(rows), "sha256": digest}


def test_a_backup_takes_the_place_of_the_one_before(backup: Path, invoke: Invoke) -> None:
    before = backup.read_bytes().splitlines()[1:-1]
    backup.write_text("old")
    backup.chmod(0o644)
    assert invoke("export", str(backup)).exit_code == 0
    assert backup.read_bytes().splitlines()[1:-1] == before
    assert backup.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("words", [(), ("-",)])
def test_through_pipes(words: tuple[str, ...], state: Path, tmp_path: Path, invoke: Invoke) -> None:
    exported = invoke("export", *words)
    assert exported.exit_code == 0
    assert restored(invoke, tmp_path / "new", *words, stdin=exported.stdout_bytes).exit_code == 0
    assert use(tmp_path / "new", everything) == use(state, everything)


def test_more_records_than_are_written_at_one_stroke(
    state: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soulbox_core.cli.backup._BATCH", 2)
    exported = invoke("export")
    assert restored(invoke, tmp_path / "new", stdin=exported.stdout_bytes).exit_code == 0
    assert use(tmp_path / "new", everything) == use(state, everything)


def test_a_database_with_keys_is_written_to_when_that_is_asked_for(
    backup: Path, state: Path, invoke: Invoke
) -> None:
    async def change(stores: Stores) -> None:
        await stores.identities.put_key(api_key(id="k1", revoked_at=NOW))
        await stores.identities.put_key(api_key(id="k3", created_at=NOW + 1.0))

    use(state, change)
    before = use(state, everything)
    done = restored(invoke, state, str(backup))
    assert done.exit_code != 0
    assert "has 3 API keys already, and nothing was written" in str(done.exception)
    assert use(state, everything) == before
    done = restored(invoke, state, str(backup), "--replace-existing")
    assert done.exit_code == 0, repr(done.exception)
    assert "2 of api_key" in done.stderr
    assert "revoke them anew" in done.stderr

    async def look(stores: Stores) -> None:
        assert {key.id: key.revoked_at for key in await stores.identities.keys()} == {
            "k1": None,
            "k2": None,
            "k3": None,
        }

    use(state, look)


def test_importing_twice_is_as_good_as_once(backup: Path, state: Path, invoke: Invoke) -> None:
    before = use(state, everything)
    for _ in range(2):
        assert restored(invoke, state, str(backup), "--replace-existing").exit_code == 0
    assert use(state, everything) == before


def signed(*lines: Any) -> bytes:
    """These lines with a last one that fits them."""
    before = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    end = {"end": True, "rows": len(lines) - 1, "sha256": sha256(before).hexdigest()}
    return before + json.dumps(end, separators=(",", ":")).encode() + b"\n"


HEADER = {"soulbox": 1, "kind": "backup", "version": VERSION, "at": "2026-11-30T00:00:00Z"}
ROW = {"table": "api_key", "row": {"id": "k9"}}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no backup of SoulBox"),
        (b"\n", "no backup of SoulBox"),
        (b"PK\x03\x04" * 100, "no backup of SoulBox"),
        (signed({"kind": "letter"}, ROW), "no backup of SoulBox"),
        (signed(HEADER | {"version": VERSION + 1}), "install the newer one"),
        (signed(HEADER | {"soulbox": 2}), "install the newer one"),
        (signed(HEADER)[:-1], "cut off"),
        (signed(HEADER, {"table": 1, "row": {}}), "damaged"),
        (signed(HEADER, {"table": "api_key", "row": {}, "more": 1}), "damaged"),
        (signed(HEADER, ["table"]), "damaged"),
        (signed(HEADER) + b"\n", "goes on after its end"),
    ],
)
def test_what_is_no_backup_is_refused(
    content: bytes, words: str, tmp_path: Path, invoke: Invoke
) -> None:
    file = tmp_path / "x"
    file.write_bytes(content)
    done = restored(invoke, tmp_path / "new", str(file))
    assert done.exit_code != 0
    assert words in str(done.exception)
    assert not (tmp_path / "new").exists()


def test_a_backup_that_was_cut_or_changed_is_refused_before_anything_is_written(
    backup: Path, tmp_path: Path, invoke: Invoke
) -> None:
    whole = backup.read_bytes()
    lines = whole.splitlines(keepends=True)
    spoilt = [b"".join(lines[:count]) for count in range(len(lines))]
    spoilt += [b"".join(lines[:number] + lines[number + 1 :]) for number in range(len(lines) - 1)]
    spoilt += [whole[:-10], whole.replace(b'"name"', b'"nama"', 1)]
    spoilt += [b"".join([lines[0], lines[2], lines[1], *lines[3:]])]
    spoilt += [whole.replace(b'"rows":', b'"rows":1', 1)]
    for content in spoilt:
        backup.write_bytes(content)
        done = restored(invoke, tmp_path / "new", str(backup))
        assert done.exit_code != 0
        assert type(done.exception).__name__ == "BackupError"
        assert not (tmp_path / "new").exists()


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path, invoke: Invoke) -> None:
    file = tmp_path / "x"
    with open(file, "wb") as opened:
        opened.write(json.dumps(HEADER).encode() + b"\n")
        opened.truncate(4 * LINE_BYTES)
    done = restored(invoke, tmp_path / "new", str(file))
    assert "cut off" in str(done.exception)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"table": "meta", "row": {"id": "schema"}}, "no table 'meta'"),
        (ROW, "record of api_key"),
    ],
)
def test_what_no_table_holds_is_refused(
    row: dict[str, Any], words: str, tmp_path: Path, invoke: Invoke
) -> None:
    file = tmp_path / "x"
    file.write_bytes(signed(HEADER, row))
    done = restored(invoke, tmp_path / "new", str(file))
    assert done.exit_code != 0
    assert words in str(done.exception)


def test_while_the_service_runs_its_database_is_its_own(
    backup: Path, state: Path, invoke: Invoke
) -> None:
    kept = backup.read_bytes()

    async def meanwhile(stores: Stores) -> None:
        for words in (("export", str(backup)), ("import", str(backup))):
            done = await asyncio.to_thread(invoke, *words)
            assert "stop it first" in str(done.exception)

    use(state, meanwhile)
    assert backup.read_bytes() == kept
    assert [each.name for each in backup.parent.iterdir() if each.is_file()] == [backup.name]


def test_a_file_that_cannot_be_used_is_named(state: Path, tmp_path: Path, invoke: Invoke) -> None:
    nowhere = tmp_path / "no" / "backup"
    for command in ("export", "import"):
        done = invoke(command, str(nowhere))
        assert type(done.exception).__name__ == "BackupError"
        assert "no/" in str(done.exception)
        done = invoke(command, str(tmp_path))
        assert type(done.exception).__name__ == "BackupError"


def test_from_a_server_to_another_and_while_it_is_used(
    state: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    with surreal_server(tmp_path / "server") as server:
        whole = invoke("export").stdout_bytes
        settings = server.settings()
        monkeypatch.setenv("SOULBOX_DATABASE__USER", settings.user)
        monkeypatch.setenv("SOULBOX_DATABASE__PASSWORD", settings.password)
        onto = ("--set", f"database.url={settings.url}")
        assert restored(invoke, state, *onto, stdin=whole).exit_code == 0

        async def meanwhile() -> bytes:
            async with open_database(settings, tmp_path) as stores:
                assert len(await stores.identities.keys()) == 2
                return (await asyncio.to_thread(invoke, "export", *onto)).stdout_bytes

        again = asyncio.run(meanwhile())
        assert sorted(again.splitlines()[1:-1]) == sorted(whole.splitlines()[1:-1])


def test_both_are_commands_however_many_are_asked_for() -> None:
    for asked in (["export"], ["import"], COMMANDS):
        app = application(asked)
        names = [command.name for each in app.registered_groups for command in commands(each)]
        assert names.count("export") == names.count("import") == 1


def commands(group: Any) -> list[Any]:
    found: list[Any] = group.typer_instance.registered_commands
    return found
