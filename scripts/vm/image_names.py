"""Print the images that the installed languages need. Run by the installed SoulBox's Python."""

import os

from soulbox_core import registry, settings
from soulbox_core.images.catalog import needed_tags

print(*sorted(needed_tags(registry.load(settings.load(env=os.environ)).languages.values())))
