"""How the database's tables came to be, step by step. A step that was released never changes."""

import asyncio
import random

from soulbox_core.errors import StoreError, StoreFailed
from soulbox_core.store.database import Database, Refused

STEPS: tuple[str, ...] = (
    """
    DEFINE TABLE api_key SCHEMALESS;
    DEFINE TABLE family SCHEMALESS;
    DEFINE INDEX family_session ON family FIELDS session UNIQUE;
    DEFINE INDEX family_key ON family FIELDS key_id;
    DEFINE INDEX family_expiry ON family FIELDS expires_at;
    """,
    """
    DEFINE TABLE execution SCHEMALESS;
    DEFINE INDEX execution_caller ON execution FIELDS caller, place;
    DEFINE INDEX execution_language ON execution FIELDS caller, language, place;
    DEFINE INDEX execution_status ON execution FIELDS caller, status, place;
    DEFINE INDEX execution_language_status ON execution FIELDS caller, language, status, place;
    DEFINE TABLE usage SCHEMALESS;
    DEFINE TABLE batch SCHEMALESS;
    DEFINE INDEX batch_age ON batch FIELDS kept_at;
    """,
)

VERSION = len(STEPS)
"""The version that this program knows."""

_ATTEMPTS = 5
_PAUSE_SECONDS = 0.2


async def migrate(database: Database) -> None:
    """Bring the tables up to date. Several nodes may do so at one time: each step is taken by one.

    :raises StoreError: they are of a newer program, or cannot be changed
    """
    try:
        await database.write("DEFINE TABLE IF NOT EXISTS meta SCHEMALESS")
        refused = 0
        while (version := await _version(database)) < VERSION:
            try:
                await _take(database, version)
            except Refused:
                if await _version(database) > version:
                    continue  # another node was first
                refused += 1
                if refused == _ATTEMPTS:
                    raise
                await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311, no secret
    except StoreFailed as error:
        raise StoreError(f"the database cannot be brought up to date: {error}") from None
    if version > VERSION:
        raise StoreError(
            f"the database has version {version} and this SoulBox knows {VERSION}; install"
            " the newer one again"
        )


async def _version(database: Database) -> int:
    found = await database.ask("SELECT VALUE version FROM ONLY meta:schema")
    return found if isinstance(found, int) else 0


async def _take(database: Database, version: int) -> None:
    """The step from a version to the next, or nothing at all.

    :raises Refused: it cannot be taken, or another node took it
    """
    begin = "IF ((SELECT VALUE version FROM ONLY meta:schema) ?? 0) != $version { THROW 'taken' };"
    end = "UPSERT meta:schema SET version = $version + 1;"
    await database.write(f"BEGIN; {begin} {STEPS[version]} {end} COMMIT;", version=version)
