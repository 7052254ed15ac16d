"""The packages of the image: found both ways, and most of them in memory already."""

import os
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from soulbox_javascript.image import PRELOADS
from tests.integration.patience import patient

pytestmark = pytest.mark.integration

MAIN, MODULE = "main.js", "main.mjs"
COLD = {"NODE_PENDING_DEPRECATION": "0"}
"""Changes nothing but the way to the cell."""
NAMES = tuple(preload[0] + preload[1:].partition("@")[0] for preload in PRELOADS)
ON_DEMAND = ("axios", "uuid", "nanoid")
"""axios needs http, which no snapshot can hold; the others have ES modules alone."""
USES: Mapping[str, str] = {
    "lodash": "lodash.chunk([1, 2, 3], 2)",
    "axios": "axios.getUri({ url: '/a', params: { b: 1 } })",
    "zod": "zod.z.object({ a: zod.z.number() }).safeParse({ a: 'x' }).error.issues",
    "date-fns": "date_fns.addDays(new Date(0), 3).toISOString()",
    "dayjs": "dayjs(0).add(1, 'day').toISOString()",
    "uuid": "[uuid.validate(uuid.v4()), uuid.v5('a', uuid.v5.URL)]",
    "nanoid": "nanoid.nanoid().length",
    "decimal.js": "new decimal_js.Decimal('0.1').plus('0.2').toString()",
    "immutable": "immutable.Map({ a: 1 }).set('b', immutable.List([1])).toJS()",
    "rxjs": "rxjs.of(1, 2).pipe(rxjs.map((x) => x * 2)).subscribe((x) => console.log(x)).closed",
    "yaml": "yaml.parse('a: [1, {b: c}]')",
    "papaparse": "papaparse.parse('a,b\\n1,2', { header: true }).data",
    "@datastructures-js/priority-queue": "new _datastructures_js_priority_queue"
    ".MinPriorityQueue((x) => x).enqueue(3).enqueue(1).dequeue()",
}
DEFAULTS = ("lodash", "axios", "dayjs", "papaparse")
"""Packages that are imported by their default."""


def run(code: str, entrypoint: str = MAIN, **body: Any) -> dict[str, Any]:
    body = {"code": code, "entrypoint": entrypoint, **body}
    with httpx.Client(
        base_url=os.environ["SOULBOX_URL"], timeout=patient(60), trust_env=False
    ) as client:
        response = client.post("/v1/run/javascript", json=body)
    assert response.status_code == httpx.codes.OK, response.text
    answer: dict[str, Any] = response.json()
    return answer


def printed(code: str, entrypoint: str = MAIN, **body: Any) -> str:
    answer = run(code, entrypoint, **body)
    assert answer["status"] == "ok", answer
    text: str = answer["stdout"]
    return text


def identifier(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)


def required(name: str) -> str:
    return f"const {identifier(name)} = require({name!r});\nconsole.log({USES[name]});\n"


def imported(name: str) -> str:
    what = identifier(name) if name in DEFAULTS else f"* as {identifier(name)}"
    return f"import {what} from {name!r};\nconsole.log({USES[name]});\n"


def test_every_preload_is_used_here() -> None:
    assert set(USES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_preload_is_the_same_required_or_imported_parked_or_cold(name: str) -> None:
    outputs = {
        printed(code, entrypoint, env=env)
        for code, entrypoint in ((required(name), MAIN), (imported(name), MODULE))
        for env in ({}, COLD)
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("name", NAMES)
def test_an_import_of_a_preload_has_the_names_that_node_gives_it(name: str) -> None:
    code = (
        f"import * as all from {name!r};\n"
        "console.log(Object.keys(all).length, Object.entries(all).map(([name, value]) =>"
        " `${name}: ${typeof value}`).sort().join('\\n'))"
    )
    assert printed(code, MODULE) == printed(code, MODULE, env=COLD)


def test_preloads_are_in_memory_before_they_are_asked_for() -> None:
    code = (
        "const loaded = Object.keys(require.cache);\n"
        f"for (const name of {list(NAMES)!r}) {{\n"
        "  if (!loaded.includes(require.resolve(name))) console.log(name);\n"
        "}\n"
    )
    assert printed(code).split() == list(ON_DEMAND)


def test_a_package_has_one_instance_however_it_is_loaded() -> None:
    code = (
        "import { createRequire } from 'node:module';\n"
        "import _ from 'lodash';\nimport { Observable } from 'rxjs';\n"
        "import { z } from 'zod';\n"
        "const require = createRequire(import.meta.url);\n"
        "console.log(require('lodash') === _, require('zod').z === z,"
        " require('rxjs').Observable === Observable, (await import('lodash')).default === _);\n"
    )
    assert printed(code, MODULE) == "true true true true\n"


def test_parts_of_preloads_are_found_too() -> None:
    code = (
        "import get from 'lodash/get.js';\nimport utc from 'dayjs/plugin/utc.js';\n"
        "import dayjs from 'dayjs';\nimport { format } from 'date-fns/format';\n"
        "import { filter } from 'rxjs/operators';\nimport { of } from 'rxjs';\n"
        "console.log(get({ a: { b: 1 } }, 'a.b'), dayjs.extend(utc).utc(0).format('YYYY'),"
        " format(new Date(0), 'yyyy'));\n"
        "of(1, 2).pipe(filter((n) => n > 1)).subscribe(console.log);\n"
    )
    assert printed(code, MODULE) == "1 1970 1970\n2\n"


def test_an_error_inside_a_preload_names_its_file_and_the_programs() -> None:
    answer = run("const { z } = require('zod');\nz.string().parse(1);\n")
    assert answer["status"] == "failed"
    assert "/box/main.js:2" in answer["stderr"]
    assert "soulbox/javascript/node_modules/zod/" in answer["stderr"]
