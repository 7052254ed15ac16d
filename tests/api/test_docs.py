import hashlib
import re
from base64 import b64encode

import pytest

from tests.api.conftest import Client
from tests.loop import on_loop


@on_loop
async def test_the_page_may_run_its_own_script_and_style_and_nothing_else(client: Client) -> None:
    answer = await client("GET", "/docs")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        [inline] = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


@pytest.mark.parametrize(
    "forbidden",
    [
        r"https?://",
        r"<(link|img|iframe|object|embed)\b",
        r"<script\s",
        r"\son\w+\s*=",
        r"\sstyle\s*=",
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function",
    ],
)
@on_loop
async def test_the_page_needs_nothing_from_elsewhere_and_parses_no_html(
    client: Client, forbidden: str
) -> None:
    assert not re.search(forbidden, (await client("GET", "/docs")).text)
