"""What a program finds in a parked cell is what `node main.js` gives it."""

import os
import re
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.integration.patience import patient

pytestmark = pytest.mark.integration

MAIN, MODULE = "main.js", "main.mjs"
COLD = {"NODE_PENDING_DEPRECATION": "0"}
"""Changes nothing but the way to the cell."""
_LAST_FRAME = re.compile(
    r"^ *at (process\.processImmediate \(node:internal/timers|node:internal/main/run_main).*\n?",
    re.MULTILINE,
)
_NUMBERS = re.compile(r"\(node:\d+\)|\(node:events:[\d:]+\)")


def run(files: str | Mapping[str, str], entrypoint: str = MAIN, **body: Any) -> dict[str, Any]:
    if isinstance(files, str):
        files = {entrypoint: files}
    body = {"files": files, "entrypoint": entrypoint, **body}
    with httpx.Client(
        base_url=os.environ["SOULBOX_URL"], timeout=patient(60), trust_env=False
    ) as client:
        response = client.post("/v1/run/javascript", json=body)
    assert response.status_code == httpx.codes.OK, response.text
    answer: dict[str, Any] = response.json()
    return answer


def printed(files: str | Mapping[str, str], entrypoint: str = MAIN, **body: Any) -> str:
    answer = run(files, entrypoint, **body)
    assert answer["status"] == "ok", answer
    text: str = answer["stdout"]
    return text


LINES = "1\n2\n39\n"
STDIN = {
    "a descriptor": "console.log(require('fs').readFileSync(0, 'utf8').length)",
    "events": "let n = 0; process.stdin.on('data', (d) => n += d.length)"
    ".on('end', () => console.log(n))",
    "an iterator": "(async () => { let n = 0; for await (const d of process.stdin) n += d.length;"
    " console.log(n) })()",
    "readline": "let n = 0; require('readline').createInterface({ input: process.stdin })"
    ".on('line', (l) => n += l.length + 1).on('close', () => console.log(n))",
    "a question": "const r = require('readline').createInterface({ input: process.stdin });"
    " r.question('', (a) => { console.log(a.length + 6); r.close() })",
    "a pipe": "let n = 0; process.stdin.pipe(new (require('stream').Writable)({"
    " write(d, _, done) { n += d.length; done() }, final() { console.log(n) } }))",
}


@pytest.mark.parametrize("form", STDIN)
def test_stdin_is_read_in_every_form(form: str) -> None:
    assert printed(STDIN[form], stdin=LINES) == f"{len(LINES)}\n"
    if form != "a question":
        assert printed(STDIN[form], stdin="") == "0\n"
        assert printed(STDIN[form], stdin="x" * 300_000) in ("300000\n", "300001\n")


Program = tuple[Mapping[str, str], str]
SAME: Mapping[str, Program] = {
    name: ({entry: code, **more}, entry)
    for name, (entry, code, more) in {
        "an exit code": (MAIN, "process.exitCode = 4; console.log('x')", {}),
        "an exit": (MAIN, "Promise.resolve().then(() => process.exit(5))", {}),
        "exit handlers": (
            MAIN,
            "process.once('exit', (c) => console.log(c)); process.on('exit', () => "
            "{ process.exitCode = 9 }); let n = 0; process.on('beforeExit', () => "
            "{ if (n++ < 2) setTimeout(() => console.log('again'), 1) })",
            {},
        ),
        "an error": (MAIN, "function f() {\n  throw new Error('boom')\n}\nf()", {}),
        "an error in a module": (MODULE, "function f() {\n  throw new Error('boom')\n}\nf()", {}),
        "an error after await": (MODULE, "await 1\nthrow new TypeError('late')", {}),
        "an error later": (MAIN, "setTimeout(() => { throw new Error('later') }, 1)", {}),
        "an error with a cause": (
            MAIN,
            "throw new Error('a', { cause: new RangeError('b') })",
            {},
        ),
        "an object thrown": (MAIN, "throw { a: 1 }", {}),
        "an error in an exit handler": (
            MAIN,
            "process.on('exit', () => { throw new Error('in exit') })",
            {},
        ),
        "a rejection": (MAIN, "Promise.reject(new Error('rejected'))", {}),
        "a rejection handled late": (
            MAIN,
            "process.on('unhandledRejection', (e) => console.log('caught', e.message));"
            " Promise.reject(new Error('x'))",
            {},
        ),
        "an error caught at last": (
            MAIN,
            "process.on('uncaughtException', (e, from) => console.log(e.message, from));"
            " setTimeout(() => console.log('still here'), 2); throw new Error('x')",
            {},
        ),
        "a failed assertion": (
            MAIN,
            "require('assert').deepStrictEqual({ a: [1] }, { a: [2] })",
            {},
        ),
        "no such module": (MAIN, "require('nowhere')", {}),
        "no such import": (MODULE, "import 'nowhere'", {}),
        "wrong syntax": (MAIN, "let a = ;\n", {}),
        "wrong syntax in a module": (MODULE, "import 'fs'\nlet a = ;\n", {}),
        "too deep a recursion": (MAIN, "(function f() {\n  f()\n})()", {}),
        "an await without end": (MODULE, "console.log(1)\nawait new Promise(() => {})\n", {}),
        "syntax of a module": (
            MAIN,
            "import fs from 'fs'; console.log(typeof fs, typeof require, await 1, import.meta.main,"
            " import.meta.filename, process.mainModule)",
            {},
        ),
        "await alone": (MAIN, "console.log(await Promise.resolve(7))", {}),
        "a package of modules": (
            MAIN,
            "import x from './a.js'; console.log(x)",
            {"package.json": '{"type": "module"}', "a.js": "export default 7"},
        ),
        "a package of CommonJS": (
            MAIN,
            "import x from './a.js'",
            {"package.json": '{"type": "commonjs"}'},
        ),
        "CommonJS": (
            MAIN,
            "console.log(this === exports, require.main === module, module.id, module.paths,"
            " __filename, process.argv.length, Object.keys(require.cache).filter((f) =>"
            " !f.includes('node_modules')))",
            {},
        ),
        "a module required": (
            MAIN,
            "console.log(require('./a.mjs').default, require('./b').x)",
            {
                "a.mjs": "export default 3",
                "b/index.js": "exports.x = require('./c.json')",
                "b/c.json": "[1]",
            },
        ),
        "a program in a directory": (
            "src/app/main.js",
            "console.log(__dirname, process.argv[1], process.cwd(), require('../x'))",
            {"src/x.js": "module.exports = 5"},
        ),
        "a package of one's own": (
            MAIN,
            "console.log(require('lodash'), require('mine'))",
            {
                "node_modules/lodash/index.js": "module.exports = 'not that one'",
                "node_modules/mine/index.js": "module.exports = 'mine'",
            },
        ),
        "an imported package of one's own": (
            MODULE,
            "import x from 'lodash'; console.log(x)",
            {"node_modules/lodash/index.js": "module.exports = 'not that one'"},
        ),
        "TypeScript beside it": (
            MAIN,
            "console.log(require('./a.ts').x)",
            {"a.ts": "exports.x = 5 as number"},
        ),
        "the console": (
            MAIN,
            "console.table([{ a: 1 }]); console.group('g'); console.info('in'); console.groupEnd();"
            " console.dir({ a: { b: { c: {} } } }); console.assert(false, 'no'); console.count();"
            " console.log(console instanceof console.Console, typeof console.Console)",
            {},
        ),
        "a trace": (MAIN, "console.trace('here'); process.emitWarning('careful')", {}),
        "the order of things": (
            MAIN,
            "setTimeout(() => console.log('end'), 5); process.nextTick(() => { console.log('a');"
            " process.nextTick(() => console.log('b')); Promise.resolve().then(() =>"
            " console.log('c')) }); Promise.resolve().then(() => console.log('d'));"
            " console.log('first')",
            {},
        ),
        "the process": (
            MAIN,
            "console.log(process.execArgv, process.argv0, process.title, process.version,"
            " process.features.typescript, process.exitCode, require('module').isBuiltin('fs'))",
            {},
        ),
        "hooks of the loader": (
            MODULE,
            "import { registerHooks } from 'module'; registerHooks({ resolve: (s, c, n) =>"
            " s === 'virtual:x' ? { url: s, format: 'module', shortCircuit: true } : n(s, c), load:"
            " (u, c, n) => u === 'virtual:x' ? { format: 'module', source: 'export default 9',"
            " shortCircuit: true } : n(u, c) }); console.log((await import('virtual:x')).default)",
            {},
        ),
        "an end by a signal": (
            MAIN,
            "process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 9)",
            {},
        ),
        "a child": (
            MAIN,
            "const c = require('child_process'); if (process.argv[2]) process.send([1]); else"
            " c.fork(__filename, ['x']).on('message', console.log)",
            {},
        ),
    }.items()
}


@pytest.mark.parametrize("name", SAME)
def test_a_parked_cell_runs_a_program_as_node_does(name: str) -> None:
    files, entrypoint = SAME[name]
    warm, cold = run(files, entrypoint), run(files, entrypoint, env=COLD)
    for field in ("status", "exit_code", "signal", "stdout"):
        assert warm[field] == cold[field], (warm, cold)
    assert told(warm["stderr"]) == told(cold["stderr"])
    assert "/opt/soulbox" not in warm["stderr"]


def told(stderr: str) -> str:
    """Less what may differ: the number of the process, the place in node:events that calls a
    handler (another one for the second), and the frame that called Node's start of a program."""
    return _NUMBERS.sub("", _LAST_FRAME.sub("", stderr))


def test_what_is_awaited_without_end_is_exit_code_13() -> None:
    answer = run("await new Promise(() => {})", MODULE)
    assert (answer["status"], answer["exit_code"]) == ("failed", 13)
    assert "unsettled top-level await" in answer["stderr"]


def test_a_stack_overflow_is_an_error_of_the_program() -> None:
    answer = run("function f() {\n  f();\n}\nf();\n")
    assert (answer["status"], answer["exit_code"]) == ("failed", 1)
    assert "RangeError: Maximum call stack size exceeded" in answer["stderr"]
    assert "/box/main.js:2" in answer["stderr"]


def test_the_environment_is_the_requests_alone() -> None:
    names = "console.log(Object.keys(process.env).sort().join())"
    assert printed(names, env={"MINE": "1"}) == "HOME,LANG,LOGNAME,MINE,PATH,USER\n"
    code = "console.log(new Date(0).getHours(), process.env.MINE)"
    assert printed(code, env={"TZ": "Asia/Tokyo", "MINE": "é"}) == "9 é\n"
    assert printed("console.log((1.5).toLocaleString())", env={"LC_ALL": "de_DE.UTF-8"}) == "1,5\n"


@pytest.mark.parametrize("env", [{}, COLD], ids=["parked", "cold"])
def test_output_arrives_whole_whatever_ends_the_program(env: Mapping[str, str]) -> None:
    code = (
        "for (let i = 0; i < 20_000; i++) console.log('a line of output, number', i);\n"
        "process.stdout.write('x'.repeat(300_000));\nprocess.exit(0);\n"
    )
    answer = run(code, env=env, limits={"output_bytes": 2 << 20})
    assert answer["status"] == "ok"
    assert answer["stdout"].count("\n") == 20_000
    assert answer["stdout"].endswith("x" * 300_000)


@pytest.mark.parametrize("env", [{}, COLD], ids=["parked", "cold"])
def test_a_worker_thread_has_all_of_node(env: Mapping[str, str]) -> None:
    code = (
        "const { Worker, isMainThread } = require('worker_threads');\n"
        "if (isMainThread) {\n"
        "  new Worker(__filename).on('error', (e) => console.log(e.message));\n"
        "} else {\n"
        "  for (const name of require('module').builtinModules) {\n"
        "    if (!/^(_|inspector|node:test|sys|trace_events)/.test(name)) require(name);\n"
        "  }\n"
        "  require('lodash'); require('crypto').createHash('sha1'); new Blob(['x']);\n"
        "  console.log(require('child_process').execSync('echo child').toString().trim());\n"
        "  throw new Error('the thread ends');\n"
        "}\n"
    )
    answer = run(code, env={"NODE_NO_WARNINGS": "1"} if env else {})
    assert (answer["status"], answer["stdout"]) == ("ok", "child\nthe thread ends\n"), answer


def test_no_two_cells_draw_the_same_lot() -> None:
    code = (
        "const { v4 } = require('uuid'); const { nanoid } = require('nanoid');\n"
        "console.log(Math.random(), crypto.randomUUID(), v4(), nanoid())"
    )
    rows = [printed(code).split() for _ in range(6)]
    for column in zip(*rows, strict=True):
        assert len(set(column)) == len(rows)


def test_what_a_handler_of_exit_prints_is_not_lost_in_a_fast_end() -> None:
    code = "process.on('exit', () => console.log('last words')); console.log('first')"
    assert printed(code) == "first\nlast words\n"


CHURN = {
    "small objects": "let s = 0; for (let i = 0; i < 2e7; i++) { const o = { a: i, b: [i] };"
    " s += o.b[0] & 1 }",
    "big arrays": "let s = 0; for (let i = 0; i < 20; i++) s += new Array(1e6).fill(0.5)"
    ".map((x, j) => x + j)[5]",
    "buffers": "let s = 0; for (let i = 0; i < 6000; i++) s += Buffer.alloc(1 << 16, 1)[5]",
    "a heap in use beside it": "let live = []; for (let i = 0; i < 7e5; i++) live.push({ a: i });"
    " for (let r = 0; r < 10; r++) for (let i = 0; i < 7e5; i += 3) live[i] = { a: [r] }",
}
HOARDS = {
    "objects": "const h = []; for (let i = 0; ; i++) h.push({ a: i, b: [i] })",
    "strings": "const h = []; for (;;) h.push('x'.repeat(1000) + h.length)",
    "a set": "const s = new Set(); for (let i = 0; ; i++) s.add(i)",
    "buffers": "const h = []; for (;;) h.push(Buffer.alloc(1 << 20, 1))",
    "one array": "new Array(1e8).fill(0).map((x, i) => i)",
}


@pytest.mark.parametrize("env", [{}, COLD], ids=["parked", "cold"])
@pytest.mark.parametrize("kind", CHURN)
def test_garbage_is_collected_before_memory_runs_out(kind: str, env: Mapping[str, str]) -> None:
    answer = run(CHURN[kind], env=env, limits={"cpu_seconds": 30, "wall_seconds": 60})
    assert answer["status"] == "ok", answer


@pytest.mark.parametrize("env", [{}, COLD], ids=["parked", "cold"])
@pytest.mark.parametrize("kind", HOARDS)
def test_a_hoard_exceeds_memory_and_does_not_abort(kind: str, env: Mapping[str, str]) -> None:
    answer = run(HOARDS[kind], env=env, limits={"cpu_seconds": 30, "wall_seconds": 60})
    assert answer["status"] == "memory_exceeded", answer


def test_a_run_with_other_memory_gets_a_heap_for_it() -> None:
    code = "const h = []; for (let i = 0; i < 4e6; i++) h.push({ a: i, b: [i] }); console.log('ok')"
    assert run(code)["status"] == "memory_exceeded"
    assert printed(code, limits={"memory_bytes": 1 << 30}) == "ok\n"
