"""SoulBox's public names: what a language plugin imports, and nothing of the server.

The conformance kit for a plugin's tests is `soulbox_core.testing`.
"""

from soulbox_core.hookspecs import hookimpl
from soulbox_core.language import Image, Language

__all__ = ["Image", "Language", "hookimpl"]
