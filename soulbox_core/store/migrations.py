"""How the database's tables came to be, step by step. A step that was released never changes."""

STEPS: tuple[str, ...] = (
    """
    DEFINE TABLE api_key SCHEMALESS;
    DEFINE TABLE family SCHEMALESS;
    DEFINE INDEX family_session ON family FIELDS session UNIQUE;
    DEFINE INDEX family_key ON family FIELDS key_id;
    DEFINE INDEX family_expiry ON family FIELDS expires_at;
    """,
)

VERSION = len(STEPS)
"""The version that this program knows."""
