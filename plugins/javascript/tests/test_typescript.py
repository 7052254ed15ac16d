"""TypeScript: what is left of types at run time, and what the check says."""

import os
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.integration.patience import patient

pytestmark = pytest.mark.integration

MAIN = "main.ts"
COLD = {"NODE_PENDING_DEPRECATION": "0"}
"""Changes nothing but the way to the cell."""


def run(files: str | Mapping[str, str], entrypoint: str = MAIN, **body: Any) -> dict[str, Any]:
    if isinstance(files, str):
        files = {entrypoint: files}
    body = {"files": files, "entrypoint": entrypoint, **body}
    with httpx.Client(
        base_url=os.environ["SOULBOX_URL"], timeout=patient(60), trust_env=False
    ) as client:
        response = client.post("/v1/run/typescript", json=body)
    assert response.status_code == httpx.codes.OK, response.text
    answer: dict[str, Any] = response.json()
    return answer


def checked(files: str | Mapping[str, str], entrypoint: str = MAIN) -> dict[str, Any]:
    return run(files, entrypoint, options={"check": "true"})


@pytest.mark.parametrize("env", [{}, COLD], ids=["parked", "cold"])
def test_syntax_with_a_meaning_at_run_time_is_transformed(env: Mapping[str, str]) -> None:
    code = (
        "enum Colour { Red = 1, Green }\nnamespace N { export const n: number = 5 }\n"
        "class P { constructor(private readonly x: number, public y = 2) {}\n"
        "  get sum(): number { return this.x + this.y } }\n"
        "import fs = require('node:fs');\n"
        "console.log(Colour[2], N.n, new P(1).sum, typeof fs.readFileSync);\n"
    )
    answer = run(code, env=env)
    assert (answer["status"], answer["stdout"]) == ("ok", "Green 5 3 function\n"), answer
    assert answer["stderr"] == ""


@pytest.mark.parametrize("env", [{}, COLD], ids=["parked", "cold"])
def test_an_error_has_the_lines_that_the_caller_wrote(env: Mapping[str, str]) -> None:
    code = (
        "interface A {\n  a: number;\n}\n\nenum E {\n  X,\n}\n\n"
        "function f(a: A): never {\n  throw new Error(`boom ${a.a} ${E.X}`);\n}\n\n"
        "f({ a: 1 });\n"
    )
    answer = run(code, env=env)
    assert (answer["status"], answer["exit_code"]) == ("failed", 1)
    assert "/box/main.ts:10\n  throw new Error(" in answer["stderr"]
    assert "Error: boom 1 0\n    at f (/box/main.ts:10:9)\n" in answer["stderr"]
    assert "(/box/main.ts:13:1)" in answer["stderr"]


@pytest.mark.parametrize("env", [{}, COLD], ids=["parked", "cold"])
def test_wrong_syntax_is_shown_where_it_is(env: Mapping[str, str]) -> None:
    answer = run("const fine = 1;\nconst a: number = ;\n", env=env)
    assert (answer["status"], answer["exit_code"]) == ("failed", 1)
    assert "/box/main.ts:2\n" in answer["stderr"]
    assert "\nconst a: number = ;\n                  ^\n" in answer["stderr"]
    assert "SyntaxError" in answer["stderr"]


def test_types_are_not_checked_unless_it_is_asked_for() -> None:
    code = "const n: number = 'text' as any as number;\nconst m: string = 5;\nconsole.log(n, m);\n"
    assert run(code)["stdout"] == "text 5\n"
    answer = checked(code)
    assert (answer["status"], answer["exit_code"]) == ("compile_failed", 1)
    said = "main.ts(2,7): error TS2322: Type 'number' is not assignable to type 'string'.\n"
    assert answer["stderr"] == said
    assert answer["compile"] == {"cached": False, "output": said}


WRONG: Mapping[str, tuple[Mapping[str, str], str]] = {
    "an unknown name": ({MAIN: "console.log(nowhere)"}, "main.ts(1,13): error TS2304"),
    "an implicit any": ({MAIN: "function f(a) {\n  return a;\n}"}, "main.ts(1,12): error TS7006"),
    "what may be undefined": (
        {MAIN: "const n = [1].find(() => false);\nn.toFixed();"},
        "main.ts(2,1): error TS18048",
    ),
    "a mistake in another file": (
        {
            MAIN: "import { f } from './lib/f.ts';\nf(1);",
            "lib/f.ts": "export const f = (s: string) => x;",
        },
        "lib/f.ts(1,33): error TS2304",
    ),
    "an import that Node would not find": (
        {MAIN: "import { f } from './f';\nf();", "f.ts": "export const f = () => {};"},
        "main.ts(1,19): error TS2835",
    ),
    "a package that is nowhere": ({MAIN: "import 'a';\nimport x from 'nowhere';"}, "error TS2307"),
    "the document of a browser": ({MAIN: "document.title"}, "main.ts(1,1): error TS2584"),
    "wrong syntax": ({MAIN: "let a: = 1;"}, "main.ts(1,8): error TS1110"),
    "a type of a preload": (
        {MAIN: "import _ from 'lodash';\nconst n: number = _.trim('x');"},
        "main.ts(2,7): error TS2322",
    ),
}


@pytest.mark.parametrize("error", WRONG)
def test_the_check_says_what_tsc_says(error: str) -> None:
    files, said = WRONG[error]
    answer = checked(files)
    assert answer["status"] == "compile_failed", answer
    assert said in answer["stderr"]
    assert "/box" not in answer["stderr"]
    assert answer["stdout"] == ""


RIGHT = {
    "Node's own": "import { createHash } from 'node:crypto';\nconsole.log(process.pid,"
    " createHash('md5').digest('hex'), new URL('http://a'), structuredClone(1), Buffer.from('a'),"
    " import.meta.dirname, await fetch('http://127.0.0.1:1').catch((e: Error) => e.name));",
    "CommonJS": "const fs = require('node:fs');\nexports.size = fs.readdirSync(__dirname).length;\n"
    "console.log(module.id, exports.size);",
    "every preload": "import _ from 'lodash'; import axios from 'axios'; import { z } from 'zod';\n"
    "import { format } from 'date-fns'; import dayjs from 'dayjs'; import { v4 } from 'uuid';\n"
    "import { nanoid } from 'nanoid'; import { Decimal } from 'decimal.js';\n"
    "import { Map as IMap } from 'immutable'; import { of } from 'rxjs'; import YAML from 'yaml';\n"
    "import Papa from 'papaparse';\n"
    "import { PriorityQueue } from '@datastructures-js/priority-queue';\n"
    "type Parsed = z.infer<typeof schema>; const schema = z.object({ a: z.string() });\n"
    "const parsed: Parsed = schema.parse({ a: 'x' });\n"
    "console.log(_.VERSION, axios.isCancel(1), parsed.a, format(0, 'y'), dayjs(0).year(),"
    " v4().length, nanoid().length, new Decimal(1).plus(1), IMap({ a: 1 }).size, of(1),"
    " YAML.parse('1'), Papa.parse('a').data, new PriorityQueue<number>((a, b) => a - b).size());",
    "what Node transforms": "enum A { X }\nnamespace N { export const q = 1 }\n"
    "class P { constructor(private a: number) {} get(): number { return this.a } }\n"
    "console.log(A.X, N.q, new P(1).get());",
}


@pytest.mark.parametrize("program", RIGHT)
def test_the_check_knows_what_a_program_may_use(program: str) -> None:
    answer = checked(RIGHT[program])
    assert answer["status"] == "ok", answer


def test_a_tsconfig_of_the_callers_is_honoured() -> None:
    code = "function f(a) {\n  return a;\n}\nconsole.log(f(1));\n"
    lenient = {"compilerOptions": {"strict": False, "types": ["node"]}, "files": ["main.ts"]}
    config = str(lenient).replace("'", '"').replace("False", "false")
    assert checked(code)["status"] == "compile_failed"
    answer = checked({MAIN: code, "tsconfig.json": config, "unused.ts": "let x: number = 'a';"})
    assert (answer["status"], answer["stdout"]) == ("ok", "1\n"), answer


def test_what_the_check_adds_is_not_there_when_the_program_runs() -> None:
    code = "import { readdirSync } from 'node:fs';\nconsole.log(readdirSync('.'));\n"
    assert checked(code)["stdout"] == "[ 'main.ts' ]\n"


def test_a_program_that_was_checked_is_not_checked_again() -> None:
    code = f"const n: number = {id(object())};\nconsole.log(n);\n"
    assert [checked(code)["compile"]["cached"] for _ in range(2)] == [False, True]
