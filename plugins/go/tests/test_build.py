"""What a program may be made of, and what is said of one that cannot be built."""

import os
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from soulbox_go.preloads import MODULES
from tests.integration.patience import patient

pytestmark = pytest.mark.integration

MAIN = "main.go"
MOD = "module example.com/app\n\ngo 1.22\n"
LEFT_TO_GO = "\n//line end:1\n"
"""Something that is left to `go build`, at the end of a file, where it changes nothing."""


def run(files: Mapping[str, str], entrypoint: str = MAIN, **options: Any) -> dict[str, Any]:
    body = {"files": files, "entrypoint": entrypoint, **options}
    with httpx.Client(
        base_url=os.environ["SOULBOX_URL"], timeout=patient(60), trust_env=False
    ) as client:
        response = client.post("/v1/run/go", json=body)
    assert response.status_code == httpx.codes.OK, response.text
    answer: dict[str, Any] = response.json()
    return answer


def main(body: str, *imports: str) -> str:
    lines = "".join(f"import {path}\n" for path in (f'"{path}"' for path in imports))
    return f"package main\n\n{lines}\nfunc main() {{\n{body}\n}}\n"


def printed(files: Mapping[str, str], entrypoint: str = MAIN, **options: Any) -> str:
    answer = run(files, entrypoint, **options)
    assert answer["status"] == "ok", answer
    text: str = answer["stdout"]
    return text


ERRORS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "an unknown name": ({MAIN: main("nowhere()")}, "./main.go:5:1: undefined: nowhere"),
    "an unused import": (
        {MAIN: main("", "os")},
        './main.go:3:8: "os" imported and not used',
    ),
    "a syntax error": ({MAIN: main("x := (1 +")}, "./main.go:6:1: syntax error"),
    "a wrong type": ({MAIN: main('var n int = "a"\n_ = n')}, './main.go:5:13: cannot use "a"'),
    "no package clause": ({MAIN: "func main() {}\n"}, "main.go:1:1: expected 'package'"),
    "another package than main": (
        {MAIN: "package foo\n"},
        "package command-line-arguments is not a main package",
    ),
    "two packages in a directory": (
        {MAIN: main(""), "other.go": "package other\n"},
        "found packages main (main.go) and other (other.go)",
    ),
    "no function main": (
        {MAIN: "package main\n"},
        "function main is undeclared in the main package",
    ),
    "a main in each of two files": (
        {MAIN: main(""), "other.go": main("")},
        "main redeclared in this block",
    ),
    "a package that is nowhere": (
        {MAIN: main("", "fmtt")},
        "main.go:3:8: package fmtt is not in std",
    ),
    "a module that is nowhere": (
        {MAIN: main("", "example.com/nowhere")},
        "main.go:3:8: cannot find module providing package example.com/nowhere",
    ),
    "a package that is internal": (
        {MAIN: main("", "internal/abi")},
        "main.go:3:8: use of internal package internal/abi not allowed",
    ),
    "an import of C": ({MAIN: main("", "C")}, 'main.go:3:8: import "C"'),
    "a mistake in a package of the module": (
        {
            "go.mod": MOD,
            MAIN: main("sub.F()", "example.com/app/sub"),
            "sub/sub.go": "package sub\n\nfunc F() { nowhere() }\n",
        },
        "# example.com/app/sub\nsub/sub.go:3:12: undefined: nowhere",
    ),
    "a mistake in how a package is used": (
        {
            "go.mod": MOD,
            MAIN: main("sub.F(1)", "example.com/app/sub"),
            "sub/sub.go": "package sub\n\nfunc F() {}\n",
        },
        "# example.com/app\n./main.go:6:7: too many arguments in call to sub.F",
    ),
    "packages that import each other": (
        {
            "go.mod": MOD,
            MAIN: main("", "example.com/app/a"),
            "a/a.go": 'package a\n\nimport _ "example.com/app/b"\n',
            "b/b.go": 'package b\n\nimport _ "example.com/app/a"\n',
        },
        "import cycle not allowed",
    ),
    "newer syntax than the module's": (
        {"go.mod": "module m\n\ngo 1.20\n", MAIN: main("for range 3 {\n}")},
        "requires go1.22 or later (-lang was set to go1.20; check go.mod)",
    ),
    "a module for a newer Go": (
        {"go.mod": "module m\n\ngo 1.99\n", MAIN: main("")},
        "go: go.mod requires go >= 1.99",
    ),
    "a broken go.mod": (
        {"go.mod": "modul m\n", MAIN: main("")},
        "go.mod:1: unknown directive: modul",
    ),
    "another version of a preload": (
        {"go.mod": f"{MOD}\nrequire github.com/google/uuid v1.3.0\n", MAIN: main("")},
        "go: go.mod requires github.com/google/uuid v1.3.0, which is not available; v1.6.0 is",
    ),
    "a required module that is nowhere": (
        {"go.mod": f"{MOD}\nrequire example.com/nowhere v1.3.0\n", MAIN: main("")},
        "go: go.mod requires example.com/nowhere v1.3.0, which is not available",
    ),
}


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_is_told_as_the_go_command_does_whoever_finds_it(error: str) -> None:
    files, said = ERRORS[error]
    answers = [run(files), run({**files, MAIN: files[MAIN] + LEFT_TO_GO})]
    for answer in answers:
        assert answer["status"] == "compile_failed", answer
        assert said in answer["stderr"], answer
        assert "soulbox" not in answer["stderr"]
        assert answer["exit_code"] == 1
    assert answers[0]["stderr"] == answers[1]["stderr"]


@pytest.mark.parametrize("end", ["", LEFT_TO_GO])
def test_a_panic_names_the_callers_files_and_none_of_ours(end: str) -> None:
    files = {
        "go.mod": MOD,
        MAIN: main('sub.F("x")', "example.com/app/sub") + end,
        "sub/sub.go": 'package sub\n\nimport "github.com/shopspring/decimal"\n\n'
        "func F(s string) { decimal.RequireFromString(s) }\n",
    }
    answer = run(files)
    assert (answer["status"], answer["exit_code"]) == ("failed", 2), answer
    said = answer["stderr"]
    assert "panic: can't convert x to decimal" in said
    assert "\t/box/main.go:6" in said
    assert "\t/box/sub/sub.go:5" in said
    assert "\tgithub.com/shopspring/decimal@" in said
    assert "soulbox" not in said


def test_an_endless_recursion_is_a_stack_overflow_and_not_a_lack_of_memory() -> None:
    code = "package main\n\nfunc f(n int) int { return f(n+1) + 1 }\n\nfunc main() { f(0) }\n"
    answer = run({MAIN: code})
    assert (answer["status"], answer["exit_code"]) == ("failed", 2), answer
    assert "fatal error: stack overflow" in answer["stderr"]
    assert "/box/main.go:3" in answer["stderr"]


def test_a_deadlock_is_found() -> None:
    answer = run({MAIN: main("<-make(chan int)")})
    assert (answer["status"], answer["exit_code"]) == ("failed", 2)
    assert "all goroutines are asleep - deadlock!" in answer["stderr"]


def test_a_heap_is_collected_before_it_is_out_of_memory() -> None:
    body = (
        "var keep [][]byte\n"
        "for range 150 { keep = append(keep, make([]byte, 1<<20)) }\n"
        "n := 0\n"
        "for range 1000 { some := make([]byte, 1<<20); some[n%100] = 1; n += len(some) }\n"
        "fmt.Println(len(keep), n>>20)"
    )
    assert printed({MAIN: main(body, "fmt")}) == "150 1000\n"


def test_the_runtime_knows_the_limits_of_its_run() -> None:
    code = main(
        "fmt.Println(runtime.GOMAXPROCS(0), debug.SetMemoryLimit(-1) >> 20)",
        "fmt",
        "runtime",
        "runtime/debug",
    )
    assert printed({MAIN: code}) == "1 224\n"
    wider = {"memory_bytes": 512 << 20, "cpus": 0.5}
    assert printed({MAIN: code}, limits=wider) == "1 448\n"


def test_every_preload_can_be_imported_without_a_go_mod() -> None:
    inner = {
        "github.com/emirpasic/gods": "/lists/arraylist",
        "github.com/google/go-cmp": "/cmp",
        "github.com/stretchr/testify": "/require",
        "golang.org/x/crypto": "/bcrypt",
        "golang.org/x/exp": "/constraints",
        "golang.org/x/net": "/html",
        "golang.org/x/sync": "/errgroup",
        "golang.org/x/text": "/collate",
        "golang.org/x/time": "/rate",
        "gonum.org/v1/gonum": "/mat",
    }
    modules = [module.partition("@")[0].removesuffix("/...") for module in MODULES]
    packages = [module + inner.get(module, "") for module in modules]
    imports = "".join(f'import _ "{package}"\n' for package in packages)
    for end in ("", LEFT_TO_GO):
        assert printed({MAIN: f"package main\n\n{imports}\nfunc main() {{}}\n{end}"}) == ""


def test_a_go_mod_may_require_preloads_and_need_not() -> None:
    code = main("fmt.Println(len(uuid.NewString()))", "fmt", "github.com/google/uuid")
    required = f"{MOD}\nrequire github.com/google/uuid v1.6.0\n"
    indirect = f"{required}\nrequire golang.org/x/sys v0.1.0 // indirect\n"
    for mod in (MOD, required, indirect):
        for end in ("", LEFT_TO_GO):
            assert printed({"go.mod": mod, MAIN: code + end}) == "36\n"


def test_an_old_module_gets_the_behaviour_of_its_go() -> None:
    body = 'defer func() { fmt.Printf("%T\\n", recover()) }()\npanic(nil)'
    code = main(body, "fmt")
    for end in ("", LEFT_TO_GO):
        old, new = (
            printed({"go.mod": f"module m\n\ngo {version}\n", MAIN: code + end}).strip()
            for version in ("1.20", "1.21")
        )
        assert (old, new) == ("<nil>", "*runtime.PanicNilError")


def test_an_entrypoint_in_a_directory_is_built_from_that_directory() -> None:
    files = {
        "src/main.go": main("helper()"),
        "src/helper.go": 'package main\n\nimport "fmt"\n\nfunc helper() { fmt.Println("here") }\n',
        "src/helper_test.go": "package main\n\nfunc TestX() { nowhere() }\n",
        "other.go": "package other\n",
    }
    assert printed(files, "src/main.go") == "here\n"


def test_a_module_below_is_named_as_the_caller_does() -> None:
    files = {"app/go.mod": MOD, "app/main.go": main("nowhere()")}
    for end in ("", LEFT_TO_GO):
        answer = run({**files, "app/main.go": files["app/main.go"] + end}, "app/main.go")
        assert "app/main.go:5:1: undefined: nowhere" in answer["stderr"]


def test_a_module_may_be_replaced_by_a_directory() -> None:
    files = {
        "go.mod": f"{MOD}\nrequire example.com/lib v0.0.0\n\nreplace example.com/lib => ./lib\n",
        MAIN: main("fmt.Println(lib.N)", "fmt", "example.com/lib"),
        "lib/go.mod": "module example.com/lib\n\ngo 1.22\n",
        "lib/lib.go": "package lib\n\nconst N = 7\n",
    }
    assert printed(files) == "7\n"


def test_a_workspace_is_built_as_one() -> None:
    files = {
        "go.work": "go 1.22\n\nuse (\n\t./app\n\t./lib\n)\n",
        "app/go.mod": MOD,
        "app/main.go": main("fmt.Println(lib.N)", "fmt", "example.com/lib"),
        "lib/go.mod": "module example.com/lib\n\ngo 1.22\n",
        "lib/lib.go": "package lib\n\nconst N = 7\n",
    }
    assert printed(files, "app/main.go") == "7\n"


def test_what_building_leaves_behind_is_not_in_the_run() -> None:
    body = 'names, _ := filepath.Glob("/box/*")\nfmt.Println(names)'
    code = main(body, "fmt", "path/filepath")
    assert printed({MAIN: code + LEFT_TO_GO}) == "[/box/main.go]\n"
