"""SoulBox's public names: what a language plugin imports, and nothing of the server.

The conformance kit for a plugin's tests is `soulbox_core.testing`.
"""

from soulbox_core.hookspecs import hookimpl
from soulbox_core.language import (
    Boot,
    Compile,
    Dependencies,
    Image,
    Language,
    Option,
    Source,
)
from soulbox_core.model import Limits, SourceFile

__all__ = [
    "Boot",
    "Compile",
    "Dependencies",
    "Image",
    "Language",
    "Limits",
    "Option",
    "Source",
    "SourceFile",
    "hookimpl",
]
