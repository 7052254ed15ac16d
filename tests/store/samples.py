"""Records that tests need and do not care about."""

from typing import Any

from soulbox_core.store.records import ApiKey, Family

NOW = 1_800_000_000.0


def api_key(**changes: Any) -> ApiKey:
    usual: dict[str, Any] = {
        "id": "0123456789ab",
        "digest": "00" * 32,
        "name": "mine",
        "scopes": ("execute",),
        "policy": "default",
        "created_at": NOW,
    }
    return ApiKey(**(usual | changes))


def family(**changes: Any) -> Family:
    usual: dict[str, Any] = {
        "id": "f1",
        "session": "s1",
        "key_id": "0123456789ab",
        "scopes": ("execute",),
        "digest": "11" * 32,
        "created_at": NOW,
        "expires_at": NOW + 100.0,
    }
    return Family(**(usual | changes))
