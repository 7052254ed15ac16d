import time
from uuid import RFC_4122, UUID

import pytest

from soulbox_core.service.ids import new_id


def test_an_id_is_a_uuid_of_version_7_that_tells_the_time() -> None:
    before = time.time_ns() // 1_000_000
    uuid = UUID(new_id())
    after = time.time_ns() // 1_000_000
    assert uuid.version == 7
    assert uuid.variant == RFC_4122
    assert before <= uuid.int >> 80 <= after


def test_ids_of_one_moment_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_000_000)
    ids = {new_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert {text[:18] for text in ids} == {"018bcfe5-6800-7000"}


def test_ids_sort_as_text_in_the_order_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(1_700_000_000_999_990_000, 1_700_000_001_001_000_000, 250))
    monkeypatch.setattr(time, "time_ns", lambda: next(moments))
    ids = [new_id() for _ in range(4_000)]
    assert ids == sorted(ids)
