"""Asking the service at SOULBOX_URL to run Java."""

import os
from collections.abc import Mapping
from typing import Any

import httpx

from tests.integration.patience import patient

MAIN = "Main.java"
COLD = {"limits": {"scratch_bytes": (64 << 20) + 1}}
"""A byte more than the default: the run gets a cell made to order, with nothing booted in it."""


def run(files: str | Mapping[str, str], entrypoint: str = MAIN, **options: Any) -> dict[str, Any]:
    """Run a program and return the answer."""
    named = {entrypoint: files} if isinstance(files, str) else files
    body = {"files": named, "entrypoint": entrypoint, **options}
    with httpx.Client(
        base_url=os.environ["SOULBOX_URL"], timeout=patient(120), trust_env=False
    ) as client:
        response = client.post("/v1/run/java", json=body)
    assert response.status_code == httpx.codes.OK, response.text
    answer: dict[str, Any] = response.json()
    return answer


def printed(files: str | Mapping[str, str], entrypoint: str = MAIN, **options: Any) -> str:
    """What a program printed, which must have ended well."""
    answer = run(files, entrypoint, **options)
    assert answer["status"] == "ok", answer
    text: str = answer["stdout"]
    return text


def main(body: str, name: str = "Main") -> str:
    """A class with a main method."""
    return f"""\
import java.util.*;

public class {name} {{
    public static void main(String[] args) throws Exception {{
{body}
    }}
}}
"""
