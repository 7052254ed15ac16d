"""What a program may be made of, and what is said of one that does not compile."""

from collections.abc import Mapping

import pytest

from .service import MAIN, main, printed, run

pytestmark = pytest.mark.integration

PRINT = 'System.out.println("{}");'

PROGRAMS: Mapping[str, tuple[Mapping[str, str], str, str]] = {
    "a public class of another name": ({MAIN: main(PRINT.format("x"), "Other")}, MAIN, "x\n"),
    "a package": ({MAIN: "package a.b;\n" + main(PRINT.format("x"))}, MAIN, "x\n"),
    "a main that is not public": (
        {MAIN: 'class A { static void main() { System.out.println("x"); } }'},
        MAIN,
        "x\n",
    ),
    "an instance main": (
        {MAIN: 'class A { String x = "x"; void main(String[] a) { System.out.println(x); } }'},
        MAIN,
        "x\n",
    ),
    "a compact source file": ({MAIN: 'void main() { IO.println("x"); }'}, MAIN, "x\n"),
    "an inherited main": (
        {
            MAIN: "public class Main extends Base {}",
            "Base.java": 'class Base { public static void main(String[] a) { IO.print("b"); } }',
        },
        MAIN,
        "b",
    ),
    "the public one of two classes with a main": (
        {
            MAIN: 'class A { static void main() { IO.print("a"); } }'
            'public class B { static void main() { IO.print("b"); } }'
        },
        MAIN,
        "b",
    ),
    "the entrypoint of two files with a main": (
        {
            MAIN: main(PRINT.format("main")),
            "Other.java": main(PRINT.format("other"), "Other"),
        },
        "Other.java",
        "other\n",
    ),
    "files in directories": (
        {
            "src/a/Main.java": "package a; " + main("System.out.println(b.Util.two());"),
            "src/b/Util.java": "package b;\n"
            "public class Util { public static int two() { return 2; } }",
            "notes.txt": "no Java",
        },
        "src/a/Main.java",
        "2\n",
    ),
    "a resource": (
        {
            MAIN: main(
                'Main.class.getResourceAsStream("/d/x").transferTo(System.out); System.out.flush();'
            ),
            "d/x": "data",
        },
        MAIN,
        "data",
    ),
    "a module and a package comment": (
        {
            MAIN: "package p; " + main(PRINT.format("x")),
            "module-info.java": "module m {}",
            "package-info.java": "/** Text. */\n@Deprecated package p;",
        },
        MAIN,
        "x\n",
    ),
    "a class of a library's name": (
        {
            MAIN: main("System.out.println(com.google.gson.Gson.mine());"),
            "Gson.java": "package com.google.gson; public class Gson {"
            "public static String mine() { return new Gson().toString() + JsonNull.INSTANCE; }"
            'public String toString() { return "mine "; } }',
        },
        MAIN,
        "mine null\n",
    ),
}

ERRORS: Mapping[str, tuple[Mapping[str, str], str]] = {
    "a wrong type": (
        {MAIN: 'public class Main {\n    int n = "x";\n}\n'},
        "Main.java:2: error: incompatible types: String cannot be converted to int\n"
        '    int n = "x";\n            ^\n1 error\n',
    ),
    "in a file in a directory": (
        {MAIN: main(""), "a/b/C.java": "package a.b;\nclass C { D d; }\n"},
        "a/b/C.java:2: error: cannot find symbol\nclass C { D d; }\n          ^\n"
        "  symbol:   class D\n  location: class C\n1 error\n",
    ),
    "a syntax error": ({MAIN: "class Main {\n"}, "Main.java:1: error: reached end of file"),
    "an unknown package": (
        {MAIN: "import no.Such;\n" + main("")},
        "Main.java:1: error: package no does not exist",
    ),
    "no main": (
        {MAIN: "public class Main { void mainly() {} }"},
        "Main.java: error: no class with a main method to start",
    ),
    "a main that returns something": (
        {MAIN: "public class Main { public static int main(String[] a) { return 1; } }"},
        "Main.java: error: no class with a main method to start",
    ),
    "a class twice": (
        {MAIN: main("") + "class A {}", "A.java": "class A {}"},
        "error: duplicate class: A",
    ),
    "nested too deeply": (
        {MAIN: "class Main { int x = " + "-(-" * 200_000 + "1" + ")" * 200_000 + "; }"},
        "error: javac failed on this program",
    ),
    "an internal package": (
        {MAIN: main("jdk.internal.misc.Unsafe.getUnsafe();")},
        "package jdk.internal.misc is not visible",
    ),
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_program_may_be(what: str) -> None:
    files, entrypoint, output = PROGRAMS[what]
    assert printed(files, entrypoint) == output


@pytest.mark.parametrize("what", ERRORS)
def test_an_error_is_told_as_javac_tells_it(what: str) -> None:
    files, message = ERRORS[what]
    answer = run(files)
    assert answer["status"] == "compile_failed", answer
    assert message in answer["stderr"]
    assert "soulbox" not in answer["stderr"]


def test_javac_goes_on_after_a_program_that_it_failed_on() -> None:
    run(ERRORS["nested too deeply"][0])
    assert printed(main(PRINT.format("well"))) == "well\n"


def test_what_one_request_declares_is_unknown_to_the_next() -> None:
    helper = "class Helper {}"
    assert printed({MAIN: main(PRINT.format("x") + "new Helper();"), "H.java": helper}) == "x\n"
    answer = run(main("new Helper();"))
    assert answer["status"] == "compile_failed", answer
    assert "symbol:   class Helper" in answer["stderr"]


def test_warnings_are_in_the_answer_of_a_program_that_runs() -> None:
    answer = run(main("List l = new ArrayList(); l.add(1); System.out.println(l);"))
    assert answer["stdout"] == "[1]\n"
    assert answer["stderr"] == ""
    assert answer["compile"]["output"].startswith("Note: Main.java uses unchecked")
