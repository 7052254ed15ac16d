"""JavaScript and TypeScript against the running service at SOULBOX_URL."""

import pytest

from soulbox_core.testing import Programs, conformance
from soulbox_javascript import JAVASCRIPT, TYPESCRIPT

pytestmark = pytest.mark.integration

TestJavaScript = conformance(
    JAVASCRIPT,
    Programs(
        echo_stdin="process.stdin.pipe(process.stdout);\n",
        print_args="for (const word of process.argv.slice(2)) console.log(word);\n",
        print_env="console.log(process.env.GREETING);\n",
        exit_code_3="process.exit(3);\n",
        stderr="console.error('oops');\n",
        unicode="console.log('Grüße, 世界 🌍');\n",
        compile_error="const x = ;\n",
        runtime_error="null.missing();\n",
        large_output="console.log('x'.repeat(1 << 20));\n",
        sleep_forever="setInterval(() => {}, 1e6);\n",
        busy_loop="for (;;);\n",
        eat_memory="const hoard = [];\nfor (;;) hoard.push(new Array(1e5).fill(hoard.length));\n",
        many_processes=(
            "const { spawn } = require('node:child_process');\n"
            "const more = () => spawn('sleep', ['60']).on('spawn', more);\n"
            "more();\n"
        ),
        big_file=(
            "const fs = require('node:fs');\n"
            "const file = fs.openSync('big', 'w');\n"
            "for (;;) fs.writeSync(file, Buffer.alloc(65536));\n"
        ),
        fill_scratch=(
            "const fs = require('node:fs');\n"
            "for (let i = 0; ; i++) fs.writeFileSync(`f${i}`, Buffer.alloc(1 << 20));\n"
        ),
    ),
)

TestTypeScript = conformance(
    TYPESCRIPT,
    Programs(
        echo_stdin=(
            "import { text } from 'node:stream/consumers';\n"
            "const all: string = await text(process.stdin);\n"
            "process.stdout.write(all);\n"
        ),
        print_args=(
            "const words: readonly string[] = process.argv.slice(2);\n"
            "for (const word of words) console.log(word);\n"
        ),
        print_env="console.log(process.env['GREETING'] as string);\n",
        exit_code_3="enum Code {\n  Three = 3,\n}\nprocess.exit(Code.Three);\n",
        stderr="const message: string = 'oops';\nconsole.error(message);\n",
        unicode="const greeting: string = 'Grüße, 世界 🌍';\nconsole.log(greeting);\n",
        compile_error="const x: number = ;\n",
        runtime_error="(null as any).missing();\n",
        large_output="const size: number = 1 << 20;\nconsole.log('x'.repeat(size));\n",
        sleep_forever="setInterval((): void => {}, 1e6);\n",
        busy_loop="while (true as boolean);\n",
        eat_memory=(
            "const hoard: object[] = [];\nfor (;;) hoard.push({ index: hoard.length, all: [1] });\n"
        ),
    ),
)
