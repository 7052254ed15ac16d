"""Print the images that the installed languages need. Run by the installed SoulBox's Python."""

import os

from soulbox_core import registry, settings
from soulbox_core.images.catalog import image_tag

for language in registry.load(settings.load(env=os.environ)).languages.values():
    print(image_tag(language))
