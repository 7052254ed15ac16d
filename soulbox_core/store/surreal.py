"""The database: SurrealDB, embedded in this process, in a directory of its own."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from surrealdb import AsyncSurreal, RecordID
from surrealdb.errors import SurrealError

from soulbox_core.errors import StoreError, StoreFailed
from soulbox_core.model import Value
from soulbox_core.store.lock import locked
from soulbox_core.store.migrations import STEPS, VERSION
from soulbox_core.store.records import ApiKey, Family

logger = logging.getLogger(__name__)

_NAMESPACE = "soulbox"
_OK = "OK"

Record = TypeVar("Record", bound=Value)


@asynccontextmanager
async def open_store(directory: Path) -> AsyncIterator["SurrealStore"]:
    """Open the database in a directory, which is made if it is not there.

    Two that are open on one directory would not see what the other writes, so it is locked.

    :raises StoreError: another process has it open, a newer SoulBox made it, or it is damaged
    """
    _make_private(directory)
    with locked(directory):
        connection: Any = AsyncSurreal(f"surrealkv://{directory / 'data'}")
        try:
            await connection.connect()
            await connection.use(_NAMESPACE, _NAMESPACE)
        except (SurrealError, RuntimeError, OSError, ValueError) as error:
            raise StoreError(
                f"the database in {directory} cannot be opened: {error}; restore it from a backup,"
                " or move it away to begin anew without its keys"
            ) from None
        try:
            store = SurrealStore(connection)
            await store.migrate()
            yield store
        finally:
            await connection.close()


class SurrealStore:
    """`Store` on one connection. Writes are made one after the other, so none conflicts."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._writing = asyncio.Lock()

    async def migrate(self) -> None:
        """Bring the tables up to date.

        :raises StoreError: they are of a newer program, or cannot be changed
        """
        try:
            found = await self._ask("SELECT VALUE version FROM ONLY meta:schema")
            version = found if isinstance(found, int) else 0
            if version > VERSION:
                raise StoreError(
                    f"the database has version {version} and this SoulBox knows {VERSION}; install"
                    " the newer one again"
                )
            for number in range(version, VERSION):
                mark = f"UPSERT meta:schema SET version = {number + 1};"
                await self._write(f"BEGIN; {STEPS[number]} {mark} COMMIT;")
        except StoreFailed as error:
            raise StoreError(f"the database cannot be brought up to date: {error}") from None

    async def keys(self) -> tuple[ApiKey, ...]:
        return await self._find(ApiKey, "SELECT * FROM api_key ORDER BY created_at")

    async def put_key(self, key: ApiKey) -> None:
        await self._put("UPSERT $id CONTENT $content", "api_key", key)

    async def add_family(self, family: Family) -> None:
        await self._put("CREATE $id CONTENT $content", "family", family)

    async def family(self, id: str) -> Family | None:
        return _one(await self._find(Family, "SELECT * FROM $id", id=RecordID("family", id)))

    async def family_of_session(self, session: str) -> Family | None:
        query = "SELECT * FROM family WHERE session = $name"
        return _one(await self._find(Family, query, name=session))

    async def families_of(self, key_id: str) -> tuple[Family, ...]:
        query = "SELECT * FROM family WHERE key_id = $key AND !revoked_at ORDER BY created_at"
        return await self._find(Family, query, key=key_id)

    async def rotate(self, id: str, digest: str, successor: str) -> bool:
        query = (
            "UPDATE $id SET digest = $successor WHERE digest = $digest AND !revoked_at RETURN AFTER"
        )
        changed = await self._write(
            query, id=RecordID("family", id), digest=digest, successor=successor
        )
        return bool(changed)

    async def revoke_family(self, id: str, at: float) -> None:
        query = "UPDATE $id SET revoked_at = $at WHERE !revoked_at"
        await self._write(query, id=RecordID("family", id), at=at)

    async def forget_families(self, before: float) -> None:
        await self._write("DELETE family WHERE expires_at < $before", before=before)

    async def _find(self, kind: type[Record], query: str, **values: Any) -> tuple[Record, ...]:
        rows = await self._ask(query, **values)
        return tuple(_checked(kind, row) for row in rows or ())

    async def _put(self, query: str, table: str, record: ApiKey | Family) -> None:
        content = msgspec.to_builtins(record)
        del content["id"]
        await self._write(query, id=RecordID(table, record.id), content=content)

    async def _write(self, query: str, **values: Any) -> Any:
        async with self._writing:
            return await self._ask(query, **values)

    async def _ask(self, query: str, **values: Any) -> Any:
        """The result of the last statement.

        :raises StoreFailed: any of them failed
        """
        try:
            answer: Mapping[str, Any] = await self._connection.query_raw(query, values)
        except (SurrealError, RuntimeError, OSError) as error:
            raise StoreFailed(f"the database failed: {type(error).__name__}") from error
        statements = answer.get("result")
        if not isinstance(statements, list) or not statements:
            raise StoreFailed("the database did not understand")
        for statement in statements:
            if statement["status"] != _OK:
                raise StoreFailed(f"the database refused: {statement['result']}")
        return statements[-1]["result"]


def _checked(kind: type[Record], row: Mapping[str, Any]) -> Record:
    """A record as it was put there.

    :raises StoreFailed: it is not
    """
    id = row.get("id")
    plain = {**row, "id": str(id.id) if isinstance(id, RecordID) else None}
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as error:
        name = f"{kind.__name__} {plain['id']}"
        raise StoreFailed(f"the record {name} is damaged: {error}") from None


def _one(found: tuple[Record, ...]) -> Record | None:
    return found[0] if found else None


def _make_private(directory: Path) -> None:
    """Make a directory that nobody else can look into.

    :raises StoreError: it cannot be made, or belongs to somebody else
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise StoreError(
            f"{directory}: {error.strerror}; set state_dir to a directory that user id"
            f" {os.getuid()} can write"
        ) from None
