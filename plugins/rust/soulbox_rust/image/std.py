"""Links the standard library once, so that linking a program takes a few milliseconds.

Runs while the image is built, on Python's standard library alone. It makes, in /opt/soulbox/rust,

    libstd.so      Rust's standard library, of the same objects that rustc links into programs
    shim.o         what goes between that and a program
    builtins.a     the compiler's own helpers, such as division of 128 bits

and, where rustc finds it by its name, soulbox-link, the linker that rustc is told to use (link.rs).

rustc can link to a shared standard library by itself (`-C prefer-dynamic`), but Debian has none.
"""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

HOME = Path("/opt/soulbox/rust")
LINKED = HOME / "libstd.so"
SHIM = HOME / "shim.o"
BUILTINS = HOME / "builtins.a"
LINK = Path("/usr/local/bin/soulbox-link")
SOURCE = HOME / "link.rs"

_INTERPRETER = re.compile(rb"/lib[^\0]*/ld[^\0/]*\.so\.\d+")
_ELF_HEAD_BYTES = 4096
_ALWAYS = b"__rust_probestack"
_HELLO = 'fn main() { println!("{}", std::env::args().count() as u128 / 1); }\n'
_C = """\
#include <stddef.h>
#define HIDDEN __attribute__((visibility("hidden")))
"""
_OWN_HANDLE = "HIDDEN void *__dso_handle = &__dso_handle;\n"
_FORWARD = """\
extern size_t {callee}(size_t, size_t, size_t, size_t);
{visibility} size_t {name}(size_t a, size_t b, size_t c, size_t d)
{{
    return {callee}(a, b, c, d);
}}
"""
"""The functions of an allocator take up to four words; those that one does not take are no harm."""


def main() -> None:
    """Make all of it, and see that a program is linked with it."""
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        Path("main.rs").write_text(_HELLO)
        libraries = linked_by_rustc()
        builtins = next(path for path in libraries if "compiler_builtins" in path.name)
        libraries.remove(builtins)
        link_std(libraries, builtins)
        merge(builtins)
        build_linker(builtins.parent)
        check()


def linked_by_rustc() -> list[Path]:
    """The standard library's archives, in the order in which rustc links them."""
    words = shlex.split(said("rustc", "--print=link-args", "main.rs"))
    return [Path(word) for word in words if word.endswith(".rlib")]


def link_std(libraries: list[Path], builtins: Path) -> None:
    """Link a shared standard library, and make the shim that a program needs with it.

    A program calls the default allocator, which is in the library, and the library calls the
    program's, which may be another. rustc makes both kinds of symbols hidden, that is, of no use
    between the two. So the library has other names for the first, and calls other names instead
    of the second; the shim, in the program, has the names that rustc uses.
    """
    ours = symbols("--defined-only", libraries)
    down = {name: f"soulbox_std_{name}" for name in ours if "__rdl_" in name}
    missing = symbols("--undefined-only", libraries) - ours - symbols("--defined-only", [builtins])
    up = {name: f"soulbox_program_{name}" for name in missing if "___rust_" in name}
    compile_c("library", *(forward(name, other, hidden=True) for name, other in up.items()))
    compile_c(
        "shim",
        _OWN_HANDLE,
        *(forward(name, other, hidden=True) for name, other in down.items()),
        *(forward(other, name) for name, other in up.items()),
    )
    shutil.move("shim.o", SHIM)
    said(
        *("gcc", "-shared", "-fuse-ld=mold", "-nodefaultlibs", "-o", LINKED),
        f"-Wl,-soname,{LINKED},--strip-debug,-Bsymbolic,-z,relro,-z,now",
        *(f"-Wl,--defsym={other}={name}" for name, other in down.items()),
        *("-Wl,--whole-archive", *libraries, "-Wl,--no-whole-archive", builtins),
        *("library.o", "-lgcc_s", "-lm", "-lc"),
    )


def symbols(which: str, libraries: list[Path]) -> set[str]:
    """Names of symbols in archives."""
    listed = said("nm", "--quiet", "--extern-only", "--format=just-symbols", which, *libraries)
    return {line for line in listed.splitlines() if line.isidentifier()}


def forward(name: str, callee: str, *, hidden: bool = False) -> str:
    """A function in C that does what another does."""
    return _FORWARD.format(name=name, callee=callee, visibility="HIDDEN" if hidden else "")


def compile_c(name: str, *parts: str) -> None:
    """Compile parts of a C file to an object."""
    Path(f"{name}.c").write_text(_C + "".join(parts))
    said("gcc", "-O2", "-fPIC", "-fno-plt", "-c", f"{name}.c")


def merge(builtins: Path) -> None:
    """Make one object of hundreds in an archive, which the linker opens only when it must.

    But for what every program refers to: that stays apart, and is next to nothing.
    """
    objects = [name for name in said("ar", "t", builtins).splitlines() if name.endswith(".o")]
    said("ar", "x", builtins, *objects)
    apart = [name for name in objects if _ALWAYS in Path(name).read_bytes()]
    said("ld", "-r", "-o", "builtins.o", *(name for name in objects if name not in apart))
    said("strip", "--strip-debug", "builtins.o", *apart)
    said("ar", "rcs", BUILTINS, "builtins.o", *apart)


def build_linker(rustlib: Path) -> None:
    """Compile link.rs, and let it know where things are on this machine."""
    crt1, crti, crtn = map(found_by_gcc, ("Scrt1.o", "crti.o", "crtn.o"))
    begin, end = map(found_by_gcc, ("crtbeginS.o", "crtendS.o"))
    shared = map(found_by_gcc, ("libgcc_s.so.1", "libm.so.6", "libc.so.6"))
    places = {
        "LINK_LOADER": (loader(),),
        "LINK_DIRECTORIES": (os.path.dirname(begin), os.path.dirname(crt1)),
        "LINK_BEGIN": (crt1, crti, begin),
        "LINK_END": (end, crtn),
        "LINK_START": (crt1, SHIM),
        "LINK_STD": (LINKED, BUILTINS, *shared),
        "LINK_RUSTLIB": (rustlib,),
    }
    os.environ.update({name: ":".join(map(str, words)) for name, words in places.items()})
    flags = ("--edition=2024", "-Copt-level=3", "-Cpanic=abort", "-Cstrip=symbols")
    said("rustc", *flags, SOURCE, "-o", LINK)


def found_by_gcc(name: str) -> str:
    """Where a file is that gcc links."""
    return os.path.realpath(said("gcc", f"-print-file-name={name}").strip())


def loader() -> str:
    """The dynamic loader that programs name."""
    with open(shutil.which("rustc") or "", "rb") as file:
        found = _INTERPRETER.search(file.read(_ELF_HEAD_BYTES))
    if found is None:
        raise SystemExit("rustc names no dynamic loader")
    return found[0].decode()


def check() -> None:
    """Compile a program as requests will.

    :raises SystemExit: it was not linked with what was made here, or does not run
    """
    said("rustc", f"-Clinker={LINK.name}", "-Clinker-flavor=ld", "main.rs")
    if said("./main") != "1\n" or str(LINKED) not in said("readelf", "--dynamic", "main"):
        raise SystemExit("programs are not linked to the shared standard library")


def said(*argv: object) -> str:
    """Run a command line and return what it prints.

    :raises SystemExit: it failed
    """
    done = subprocess.run(tuple(map(str, argv)), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"`{shlex.join(map(str, argv))}` ended with exit code {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    os.umask(0o022)
    main()
