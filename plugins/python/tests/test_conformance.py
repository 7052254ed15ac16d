"""Python against the running service at SOULBOX_URL."""

import pytest

from soulbox_core.testing import Programs, conformance
from soulbox_python import PYTHON

pytestmark = pytest.mark.integration

TestPython = conformance(
    PYTHON,
    Programs(
        echo_stdin="import sys\nsys.stdout.write(sys.stdin.read())\n",
        print_args="import sys\nprint(*sys.argv[1:], sep='\\n')\n",
        print_env="import os\nprint(os.environ['GREETING'])\n",
        exit_code_3="raise SystemExit(3)\n",
        stderr="import sys\nprint('oops', file=sys.stderr)\n",
        unicode="print('Grüße, 世界 🌍')\n",
        compile_error="print('never'\n",
        runtime_error="def fail():\n    raise ValueError('no')\n\n\nfail()\n",
        large_output="print('x' * (1 << 20))\n",
        sleep_forever="import time\ntime.sleep(3600)\n",
        busy_loop="while True:\n    pass\n",
        eat_memory="hoard = []\nwhile True:\n    hoard.append(b'x' * (1 << 20))\n",
        many_processes=(
            "import os, time\nwhile True:\n    if os.fork() == 0:\n        time.sleep(3600)\n"
        ),
        big_file="file = open('big', 'wb')\nwhile True:\n    file.write(b'x' * 4096)\n",
        fill_scratch=(
            "import itertools\nfor n in itertools.count():\n"
            "    with open(str(n), 'wb') as file:\n        file.write(b'x' * (1 << 20))\n"
        ),
    ),
)
