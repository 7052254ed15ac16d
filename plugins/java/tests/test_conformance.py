"""Java against the running service at SOULBOX_URL."""

import pytest

from soulbox_core.testing import Programs, conformance
from soulbox_java import JAVA

pytestmark = pytest.mark.integration


def _main(body: str) -> str:
    return f"""\
public class Main {{
    public static void main(String[] args) throws Exception {{
        {body}
    }}
}}
"""


TestJava = conformance(
    JAVA,
    Programs(
        echo_stdin=_main("System.in.transferTo(System.out); System.out.flush();"),
        print_args=_main("for (String word : args) System.out.println(word);"),
        print_env=_main('System.out.println(System.getenv("GREETING"));'),
        exit_code_3=_main("System.exit(3);"),
        stderr=_main('System.err.println("oops");'),
        unicode=_main('System.out.println("Grüße, 世界 🌍");'),
        compile_error=_main('int n = "nowhere";'),
        runtime_error=_main('throw new IllegalStateException("no");'),
        large_output=_main('System.out.println("x".repeat(1 << 20));'),
        sleep_forever=_main("Thread.sleep(3_600_000);"),
        busy_loop=_main("while (true) {}"),
        eat_memory=_main(
            "var hoard = new java.util.ArrayList<byte[]>();\n"
            "        while (true) { hoard.add(new byte[1 << 20]); }"
        ),
        many_processes=_main(
            "while (true) { Thread.ofPlatform().daemon().start(\n"
            "            () -> java.util.concurrent.locks.LockSupport.park()); }"
        ),
        big_file=_main(
            'try (var file = new java.io.FileOutputStream("big")) {\n'
            "            while (true) { file.write(new byte[1 << 16]); }\n"
            "        }"
        ),
        fill_scratch=_main(
            "for (int n = 0; ; n++) {\n"
            "            java.nio.file.Files.write(\n"
            '                java.nio.file.Path.of("" + n), new byte[1 << 20]);\n'
            "        }"
        ),
    ),
)
