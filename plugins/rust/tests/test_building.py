"""What a program may be made of, and what is said of one that cannot be built or does not end."""

import os
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from soulbox_rust.preloads import CRATES
from tests.integration.patience import patient

pytestmark = pytest.mark.integration

MAIN = "main.rs"


def run(files: Mapping[str, str], entrypoint: str = MAIN, **options: Any) -> dict[str, Any]:
    body = {"files": files, "entrypoint": entrypoint, **options}
    with httpx.Client(
        base_url=os.environ["SOULBOX_URL"], timeout=patient(120), trust_env=False
    ) as client:
        response = client.post("/v1/run/rust", json=body)
    assert response.status_code == httpx.codes.OK, response.text
    answer: dict[str, Any] = response.json()
    return answer


def main(body: str, before: str = "") -> str:
    return f"{before}\nfn main() {{\n{body}\n}}\n"


def printed(files: Mapping[str, str], entrypoint: str = MAIN, **options: Any) -> str:
    answer = run(files, entrypoint, **options)
    assert answer["status"] == "ok", answer
    text: str = answer["stdout"]
    return text


ERRORS: Mapping[str, tuple[Mapping[str, str], tuple[str, ...]]] = {
    "an unknown name": (
        {MAIN: main("nowhere();")},
        ("error[E0425]: cannot find function `nowhere`", "--> main.rs:3:1"),
    ),
    "a syntax error": (
        {MAIN: main("let x = (1 +;")},
        ("error: mismatched closing delimiter: `}`", "--> main.rs:3:9"),
    ),
    "a wrong type": (
        {MAIN: main('let n: u32 = "a";')},
        ("error[E0308]: mismatched types", "--> main.rs:3:14"),
    ),
    "a borrow that lives too long": (
        {MAIN: main('let mut v = vec![1];\nlet first = &v[0];\nv.push(2);\nprintln!("{first}");')},
        ("error[E0502]", "--> main.rs:5:1"),
    ),
    "an error in a module": (
        {MAIN: "mod parts;\nfn main() {}\n", "parts/mod.rs": "pub fn f() -> u8 { true }\n"},
        ("error[E0308]", "--> parts/mod.rs:1:20"),
    ),
    "a module without a file": (
        {MAIN: "mod gone;\nfn main() {}\n"},
        ("error[E0583]", "main.rs:1:1"),
    ),
    "a crate that is not there": (
        {MAIN: main("", "use nosuchcrate::Thing;")},
        ("unresolved import `nosuchcrate`", "--> main.rs:1:5"),
    ),
    "a crate that only others use": (
        {MAIN: main("", "use regex_automata::Input;")},
        ("unresolved import `regex_automata`", "--> main.rs:1:5"),
    ),
    "a trait that a crate asks for": (
        {MAIN: main('println!("{}", serde_json::to_string(&S).unwrap());', "struct S;")},
        ("the trait bound `S: serde::Serialize` is not satisfied", "--> main.rs:3:38"),
    ),
    "a function that no library has": (
        {MAIN: main("unsafe { nowhere_at_all() }", 'unsafe extern "C" { fn nowhere_at_all(); }')},
        ("undefined symbol: nowhere_at_all",),
    ),
    "no function main": ({MAIN: "fn other() {}\n"}, ("error[E0601]: `main` function not found",)),
    "what only a nightly compiler takes": (
        {MAIN: "#![feature(never_type)]\nfn main() {}\n"},
        ("error[E0554]",),
    ),
    "an error in a package's library": (
        {
            "Cargo.toml": '[package]\nname = "tool"\nedition = "2021"\n',
            "src/main.rs": "fn main() { tool::f(); }\n",
            "src/lib.rs": "pub fn f() -> u8 {}\n",
        },
        ("error[E0308]", "--> src/lib.rs:1:15"),
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_a_program_that_cannot_be_built(case: str) -> None:
    files, said = ERRORS[case]
    answer = run(files, "src/main.rs" if "Cargo.toml" in files else MAIN)
    assert answer["status"] == "compile_failed", answer
    assert all(each in answer["stderr"] for each in said), answer["stderr"]
    assert answer["stdout"] == ""
    for ours in ("\x1b", "/box", "/opt", "/tmp/cargo", "index.", ".rs:0", "/root"):
        assert ours not in answer["stderr"], answer["stderr"]


def test_a_warning_is_told_beside_a_program_that_runs() -> None:
    answer = run({MAIN: main("let unused = 1;")})
    assert answer["status"] == "ok"
    assert "warning: unused variable" in answer["compile"]["output"]


def test_a_panic_ends_with_101_and_its_message() -> None:
    answer = run({MAIN: main('let none: Vec<u8> = vec![];\nprintln!("{}", none[none.len()]);')})
    assert (answer["status"], answer["exit_code"]) == ("failed", 101)
    assert "panicked at main.rs:4:20:\nindex out of bounds" in answer["stderr"]
    assert "stack backtrace" not in answer["stderr"]


def test_a_backtrace_names_functions() -> None:
    answer = run(
        {MAIN: 'fn inner() { panic!("no"); }\nfn main() { inner(); }\n'},
        env={"RUST_BACKTRACE": "1"},
    )
    assert "main::inner" in answer["stderr"], answer["stderr"]
    assert "core::panicking::panic_fmt" in answer["stderr"], answer["stderr"]


def test_an_error_that_main_returns_is_told() -> None:
    source = 'fn main() -> Result<(), String> { Err("no luck".into()) }\n'
    answer = run({MAIN: source})
    assert (answer["status"], answer["exit_code"]) == ("failed", 1)
    assert answer["stderr"] == 'Error: "no luck"\n'


def test_a_stack_overflow_is_told_and_ends_the_program() -> None:
    source = main(
        'println!("{}", deep(1));',
        "#[allow(unconditional_recursion)]\nfn deep(n: u64) -> u64 { 1 + deep(n + 1) }",
    )
    answer = run({MAIN: source})
    assert (answer["status"], answer["signal"]) == ("signaled", "SIGABRT"), answer
    assert "has overflowed its stack" in answer["stderr"]


def test_overflow_panics_unless_optimised() -> None:
    source = {MAIN: main('let n: u8 = std::env::args().count() as u8;\nprintln!("{}", n + 255);')}
    answer = run(source)
    assert (answer["status"], answer["exit_code"]) == ("failed", 101)
    assert "attempt to add with overflow" in answer["stderr"]
    assert printed(source, options={"optimize": "true"}) == "0\n"


@pytest.mark.parametrize(
    ("edition", "source"),
    [
        (
            "2015",
            'mod m { pub fn f() { println!("m"); } }\nfn main() { let async = 1; ::m::f(); '
            "let _ = async; }",
        ),
        (
            "2018",
            'trait T { fn f(&self); }\nfn main() { println!("m"); '
            "let a = [1u8]; for x in a.into_iter() { let _: &u8 = x; } }",
        ),
        ("2021", 'fn main() { let gen = 1; let _ = gen; println!("m"); }'),
        ("2024", 'fn main() { if let Some(x) = Some(1) && x == 1 { println!("m"); } }'),
    ],
)
def test_an_edition_is_the_programs_choice(edition: str, source: str) -> None:
    assert printed({MAIN: source}, options={"edition": edition}) == "m\n"
    others = {"2015": "2024", "2018": "2021", "2021": "2024", "2024": "2021"}
    other = run({MAIN: source}, options={"edition": others[edition]})
    assert other["status"] == "compile_failed", other


def test_what_the_linker_cannot_take_from_the_linked_library_is_linked_anyhow() -> None:
    # abs() is libc's, atexit() is in the part of it that is never shared.
    source = main(
        'unsafe { println!("{}", abs(-5)); atexit(last); }',
        'unsafe extern "C" { fn abs(n: i32) -> i32; fn atexit(f: extern "C" fn()) -> i32; }\n'
        'extern "C" fn last() { println!("last"); }',
    )
    assert printed({MAIN: source}) == "5\nlast\n"


COUNTING = """
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

struct Counting;
static COUNT: AtomicUsize = AtomicUsize::new(0);

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, SeqCst);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let before = COUNT.load(SeqCst);
    let words: Vec<String> = vec!["a".repeat(10), "b".repeat(10)];
    println!("{} for {} words", COUNT.load(SeqCst) - before, words.len());
}
"""


def test_a_program_may_bring_its_own_allocator() -> None:
    assert printed({MAIN: COUNTING}) == "3 for 2 words\n"


def test_threads_keep_their_own_values_and_panics() -> None:
    source = main(
        "V.with(|v| v.set(1));\n"
        'std::thread::spawn(|| V.with(|v| println!("{}", v.get()))).join().unwrap();\n'
        'println!("{}", std::panic::catch_unwind(|| panic!("x")).is_err());\n'
        'println!("{}", u128::MAX / 7 % 1000 + (i128::MAX / 3) as u128 % 10);\n'
        'println!("{:.3} {:.3}", 2f64.powf(0.5).sin(), (0.1f32).tanh());',
        "use std::cell::Cell;\nthread_local!(static V: Cell<u8> = const { Cell::new(7) });",
    )
    assert printed({MAIN: source}) == "7\ntrue\n638\n0.988 0.100\n"


def test_a_package_has_a_library_and_modules() -> None:
    files = {
        "Cargo.toml": '[package]\nname = "my-tool"\nversion = "4.5.6"\nedition = "2021"\n',
        "src/main.rs": 'mod local;\nfn main() { println!("{} {} {}", my_tool::f(), local::g(), '
        'env!("CARGO_PKG_VERSION")); }\n',
        "src/lib.rs": "mod deep;\npub fn f() -> serde_json::Value { deep::N.into() }\n",
        "src/deep.rs": "pub const N: u8 = 3;\n",
        "src/local.rs": 'pub fn g() -> &\'static str { include_str!("../data.txt") }\n',
        "data.txt": "data",
    }
    assert printed(files, "src/main.rs") == "3 data 4.5.6\n"


def test_every_crate_of_the_image_can_be_named() -> None:
    renamed = {"ac-library-rs": "ac_library"}
    names = [crate.partition("=")[0].partition("[")[0] for crate in CRATES]
    uses = "".join(f"use {renamed.get(name, name.replace('-', '_'))} as _;\n" for name in names)
    assert printed({MAIN: main('println!("all");', uses)}) == "all\n"


def test_thread_pools_start_within_the_limits() -> None:
    source = main(
        'println!("{}", (1..=100u32).into_par_iter().sum::<u32>());\n'
        "tokio::runtime::Runtime::new().unwrap().block_on(async {\n"
        '    println!("{}", tokio::spawn(async { 7 }).await.unwrap());\n});',
        "use rayon::prelude::*;",
    )
    assert printed({MAIN: source}, limits={"processes": 8}) == "5050\n7\n"


def test_nothing_of_ours_is_left_beside_the_program() -> None:
    source = main(
        'for entry in std::fs::read_dir(".").unwrap() {\n'
        '    println!("{}", entry.unwrap().path().display());\n}'
    )
    assert printed({MAIN: source}) == "./main.rs\n"
