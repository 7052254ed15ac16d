"""JavaScript and TypeScript for SoulBox: Node.js, and npm's most used packages at hand."""

from soulbox_core import Boot, Dependencies, Language, Option, hookimpl
from soulbox_javascript import node
from soulbox_javascript.check import check
from soulbox_javascript.cold import COLD_VARIABLES
from soulbox_javascript.image import IMAGE, IN_IMAGE, PRELOADS

_DEPENDENCIES = Dependencies(
    # A package, perhaps of a scope, and perhaps a version, range or tag: what has no other slash
    # and no colon is neither a path nor an address, nor a repository of somebody's.
    requirement=(
        r"((?:@[A-Za-z0-9][A-Za-z0-9._~-]*/)?[A-Za-z0-9][A-Za-z0-9._~-]*)"
        r"(?:@[A-Za-z0-9^~*<>=][A-Za-z0-9.^~*<>=+ |-]*)?"
    ),
    install=(
        *("node", f"{IN_IMAGE}/npm/bin/npm-cli.js", "install", "--prefix={out}"),
        *("--cache=/tmp/npm", "--ignore-scripts", "--no-save", "--no-package-lock"),
        *("--no-audit", "--no-fund", "--no-update-notifier", "--", "{requirements}"),
    ),
    # Taken away again before the program starts: see image/dependencies.cjs.
    env={"SOULBOX_NODE_MODULES": "{dependencies}/node_modules"},
)

JAVASCRIPT = Language(
    name="javascript",
    title="JavaScript",
    aliases=("js", "node"),
    image=IMAGE,
    source_file="main.js",
    run=node.run(),
    version=("node", "--version"),
    hello='console.log("Hello, World!");\n',
    boot=Boot(argv=node.boot(), cold_limits=node.LIMITS),
    preloads=PRELOADS,
    cold_env=COLD_VARIABLES,
    dependencies=_DEPENDENCIES,
)

TYPESCRIPT = Language(
    name="typescript",
    title="TypeScript",
    aliases=("ts",),
    image=IMAGE,
    source_file="main.ts",
    run=node.run(*node.TYPES),
    version=(
        *("node", "--print"),
        "`TypeScript ${require('typescript/package.json').version}, Node.js ${process.version}`",
    ),
    hello='const greeting: string = "Hello, World!";\nconsole.log(greeting);\n',
    options=(Option(name="check", description="check types before running, as tsc does"),),
    compile=check,
    boot=Boot(argv=node.boot(*node.TYPES), cold_limits=node.LIMITS),
    preloads=PRELOADS,
    cold_env=COLD_VARIABLES,
    dependencies=_DEPENDENCIES,
)


@hookimpl
def soulbox_register_languages() -> list[Language]:
    return [JAVASCRIPT, TYPESCRIPT]
