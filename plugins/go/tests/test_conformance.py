"""Go against the running service at SOULBOX_URL."""

import pytest

from soulbox_core.testing import Programs, conformance
from soulbox_go import GO

pytestmark = pytest.mark.integration


def _main(body: str, *imports: str) -> str:
    lines = "".join(f'import "{path}"\n' for path in imports)
    return f"package main\n\n{lines}\nfunc main() {{\n{body}\n}}\n"


TestGo = conformance(
    GO,
    Programs(
        echo_stdin=_main("io.Copy(os.Stdout, os.Stdin)", "io", "os"),
        print_args=_main("for _, word := range os.Args[1:] { fmt.Println(word) }", "fmt", "os"),
        print_env=_main('fmt.Println(os.Getenv("GREETING"))', "fmt", "os"),
        exit_code_3=_main("os.Exit(3)", "os"),
        stderr=_main('fmt.Fprintln(os.Stderr, "oops")', "fmt", "os"),
        unicode=_main('fmt.Println("Grüße, 世界 🌍")', "fmt"),
        compile_error=_main("fmt.Println(nowhere)", "fmt"),
        runtime_error=_main("var none []int\nprintln(none[len(none)])"),
        large_output=_main('fmt.Println(strings.Repeat("x", 1<<20))', "fmt", "strings"),
        sleep_forever=_main("time.Sleep(time.Hour)", "time"),
        busy_loop=_main("for {}"),
        eat_memory=_main(
            "var hoard []string\n"
            'for { hoard = append(hoard, strings.Repeat("x", 1<<20)) }\n'
            "println(len(hoard))",
            "strings",
        ),
        many_processes=_main(
            "for {\n"
            "\tstarted := make(chan bool)\n"
            "\tgo func() { runtime.LockOSThread(); started <- true; time.Sleep(time.Hour) }()\n"
            "\t<-started\n"
            "}",
            "runtime",
            "time",
        ),
        big_file=_main(
            'file, _ := os.Create("big")\n'
            "for {\n"
            "\tif _, err := file.Write(make([]byte, 1<<16)); err != nil { panic(err) }\n"
            "}",
            "os",
        ),
        fill_scratch=_main(
            "for n := 0; ; n++ {\n"
            "\terr := os.WriteFile(fmt.Sprint(n), make([]byte, 1<<20), 0o600)\n"
            "\tif err != nil { panic(err) }\n"
            "}",
            "fmt",
            "os",
        ),
    ),
)
