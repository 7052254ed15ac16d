"""The check of types that `check=true` asks for: TypeScript's own compiler, which emits nothing."""

import json

from soulbox_core import Compile, Source, SourceFile
from soulbox_javascript.image import IN_IMAGE

_SETTINGS = {
    "compilerOptions": {
        "target": "esnext",
        "module": "nodenext",
        # Node takes a file for an ES module if it has the syntax of one. So do we, with the
        # package.json below; what is left as CommonJS is checked as a module just as well.
        "moduleDetection": "force",
        "lib": ["esnext"],
        "types": ["node"],
        "strict": True,
        "allowImportingTsExtensions": True,
        "allowJs": True,
        "resolveJsonModule": True,
        "skipLibCheck": True,
    }
}
_FILES = (
    SourceFile(path="tsconfig.json", content=json.dumps(_SETTINGS).encode()),
    SourceFile(path="package.json", content=b'{"type": "module"}'),
)
_CHECK = Compile(argv=("sh", f"{IN_IMAGE}/check.sh"), files=_FILES)


def check(source: Source) -> Compile | None:
    """Return the step that checks a request's files, if it is to be done."""
    return _CHECK if source.options.get("check") == "true" else None
