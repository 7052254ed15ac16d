"""Who callers are: API keys, and the families of refresh tokens."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from surrealdb import RecordID

from soulbox_core.model import Value
from soulbox_core.store.database import (
    Conflict,
    Damaged,
    Database,
    Refused,
    checked,
    persistently,
    rows_of,
    storable,
)
from soulbox_core.store.records import ApiKey, Family
from soulbox_core.store.tally import Tally

Record = TypeVar("Record", bound=Value)

_TAKEN = "there is a key"
"""What the transaction is broken off with."""


class Identities:
    """`Store` in a database: the primary, for reading too."""

    def __init__(self, database: Database, tally: Tally) -> None:
        self._database = database
        self._tally = tally

    async def key(self, id: str) -> ApiKey | None:
        found = await self._find(ApiKey, "SELECT * FROM $id", id=RecordID("api_key", storable(id)))
        return self._one(found, lambda key: key.id == id)

    async def keys(self) -> tuple[ApiKey, ...]:
        return await self._find(ApiKey, "SELECT * FROM api_key ORDER BY created_at")

    async def put_key(self, key: ApiKey) -> None:
        await self._put("UPSERT $id CONTENT $content", "api_key", key)

    async def put_first_key(self, key: ApiKey) -> bool:
        return await persistently(lambda: self._put_alone(key))

    async def _put_alone(self, key: ApiKey) -> bool:
        """:raises Conflict: another node does the same at this moment; neither key is there"""
        # Nodes that do so at one time write the same record, so that they meet there.
        query = (
            "BEGIN;"
            " IF array::len(SELECT VALUE id FROM api_key LIMIT 1) > 0 { THROW $taken };"
            " UPSERT meta:first_key SET made_at = $content.created_at;"
            " CREATE $id CONTENT $content;"
            " COMMIT;"
        )
        try:
            await self._put(query, "api_key", key, taken=_TAKEN)
        except Refused as error:
            if await self.keys():
                return False
            if _TAKEN in str(error):
                raise Conflict("another node has given way meanwhile") from None
            raise
        # Not every engine sees each time that they meet: surrealkv let two of three nodes through
        # in 3 of 100 tries. Who finds another beside its own gives way; the later one always does.
        if [each.id for each in await self.keys()] != [key.id]:
            await self._database.write("DELETE $id", id=RecordID("api_key", key.id))
            raise Conflict("another node makes a first key")
        return True

    async def add_family(self, family: Family) -> None:
        await self._put("CREATE $id CONTENT $content", "family", family)

    async def family(self, id: str) -> Family | None:
        found = await self._find(Family, "SELECT * FROM $id", id=RecordID("family", storable(id)))
        return self._one(found, lambda family: family.id == id)

    async def family_of_session(self, session: str) -> Family | None:
        query = "SELECT * FROM family WHERE session = $name"
        found = await self._find(Family, query, name=storable(session))
        return self._one(found, lambda family: family.session == session)

    async def families_of(self, key_id: str) -> tuple[Family, ...]:
        query = "SELECT * FROM family WHERE key_id = $key AND !revoked_at ORDER BY created_at"
        return await self._find(Family, query, key=storable(key_id))

    async def rotate(self, id: str, digest: str, successor: str) -> bool:
        query = (
            "UPDATE $id SET digest = $successor WHERE digest = $digest AND !revoked_at RETURN AFTER"
        )
        changed = await self._database.write(
            query, id=RecordID("family", storable(id)), digest=digest, successor=successor
        )
        return bool(rows_of(changed))

    async def revoke_family(self, id: str, at: float) -> None:
        query = "UPDATE $id SET revoked_at = $at WHERE !revoked_at"
        await self._database.write(query, id=RecordID("family", storable(id)), at=at)

    async def forget_families(self, before: float) -> None:
        await self._database.write("DELETE family WHERE expires_at < $before", before=before)

    async def _find(self, kind: type[Record], query: str, **values: Any) -> tuple[Record, ...]:
        try:
            rows = rows_of(await self._database.ask(query, **values))
            return tuple(checked(kind, row) for row in rows)
        except Damaged:
            self._tally.damaged += 1
            raise

    async def _put(self, query: str, table: str, record: ApiKey | Family, **values: str) -> None:
        content = msgspec.to_builtins(record)
        del content["id"]
        await self._database.write(query, id=RecordID(table, record.id), content=content, **values)

    def _one(
        self, found: tuple[Record, ...], is_the_one: Callable[[Record], bool]
    ) -> Record | None:
        """What was found, or None.

        :raises Damaged: it is not what was asked for
        """
        if not found:
            return None
        if not is_the_one(found[0]):
            self._tally.damaged += 1
            raise Damaged("the database answered with another record")
        return found[0]
