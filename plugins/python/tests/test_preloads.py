"""What a run finds in memory, and that it is as good as new."""

import os
from typing import Any

import httpx
import pytest

from soulbox_python import PYTHON
from tests.integration.patience import patient

pytestmark = pytest.mark.integration

COLD = {"PYTHONHASHSEED": "random"}
USES = {
    "numpy": "import numpy as np; print(np.linalg.solve([[2.0, 1.0], [1.0, 3.0]], [3.0, 5.0]))",
    "pandas": "import pandas as pd; print(pd.DataFrame({'k': list('aba'), 'v': [1, 2, 3]})"
    ".groupby('k').v.agg(['sum', 'mean']))",
    "scipy": "from scipy import optimize, stats; print(round(optimize.brentq(lambda x: x * x - 2,"
    " 0, 2), 9), round(stats.norm.cdf(1.0), 9))",
    "sklearn": "import numpy as np; from sklearn.linear_model import LinearRegression; X ="
    " np.arange(8.0).reshape(4, 2); print(LinearRegression().fit(X, X[:, 0]).predict(X).round(6))",
    "matplotlib": "import io, matplotlib.pyplot as plt; out = io.BytesIO(); plt.plot([1, 3, 2]);"
    " plt.savefig(out); print(out.getvalue()[:4], plt.get_backend())",
    "seaborn": "import seaborn as sns; print(len(sns.color_palette()))",
    "sympy": "import sympy as s; x = s.symbols('x'); print(s.Dummy('d') != s.Dummy('d'),"
    " s.integrate(x * s.exp(-x), (x, 0, s.oo)))",
    "networkx": "import networkx as nx; print(nx.shortest_path(nx.path_graph(4), 0, 3))",
    "pillow": "from PIL import Image; print(Image.new('RGB', (4, 4), 'red').getpixel((1, 1)))",
    "requests": "import requests; print(requests.Request('GET', 'http://a/b', params={'c': 'd'})"
    ".prepare().url)",
    "bs4": "import bs4; print(bs4.BeautifulSoup('<p>a<b>c</b>', 'lxml').b.text)",
    "openpyxl": "import openpyxl; b = openpyxl.Workbook(); b.active['A1'] = 3; b.save('a.xlsx');"
    " print(openpyxl.load_workbook('a.xlsx').active['A1'].value)",
    "joblib": "import joblib; print(joblib._multiprocessing_helpers.mp is not None,"
    " joblib.Parallel(2)(joblib.delayed(abs)(n) for n in (-1, -2)))",
    "pydantic": "import pydantic\nclass M(pydantic.BaseModel): n: int\nprint(M(n='3'))",
    "others": "import yaml, jinja2, regex, sortedcontainers, tabulate, lxml.html\n"
    "print(yaml.safe_load('a: [1]'), jinja2.Template('{{ a }}').render(a=1),"
    " regex.findall(r'\\p{Lu}', 'aÄ'), sortedcontainers.SortedList([2, 1]),"
    " tabulate.tabulate([[1]]), lxml.html.fromstring('<p>x').text)",
    "directory": "import matplotlib; print(matplotlib.get_cachedir())",
}


def run(code: str, **options: Any) -> dict[str, Any]:
    with httpx.Client(
        base_url=os.environ["SOULBOX_URL"], timeout=patient(60), trust_env=False
    ) as client:
        response = client.post("/v1/run/python", json={"code": code, **options})
    assert response.status_code == httpx.codes.OK, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_all_preloads_are_in_memory_before_they_are_asked_for() -> None:
    answer = run(f"import sys\nprint([n for n in {PYTHON.preloads!r} if n not in sys.modules])")
    assert answer["stdout"] == "[]\n"


@pytest.mark.parametrize("use", USES)
def test_a_preload_works_as_if_it_had_been_imported_just_now(use: str) -> None:
    warm = run(USES[use])
    cold = run(USES[use], env=COLD, limits={"memory_bytes": 512 << 20})
    assert warm["status"] == "ok", warm
    for field in ("status", "exit_code", "stdout", "stderr"):
        assert warm[field] == cold[field], (warm, cold)


def test_random_state_and_keys_of_preloads_differ_in_every_cell() -> None:
    code = (
        "import multiprocessing, numpy, sympy.core.random as s\n"
        "print(numpy.random.random(), s.rng.random(), s._assumptions_rng.random(),"
        " multiprocessing.current_process().authkey.hex())"
    )
    rows = [run(code)["stdout"].split() for _ in range(8)]
    for column in zip(*rows, strict=True):
        assert len(set(column)) == len(rows)


def test_a_picture_fits_in_the_default_limits() -> None:
    code = (
        "import matplotlib.pyplot as plt\nfor _ in range(4):\n"
        "    plt.figure(figsize=(10, 8))\n    plt.plot(range(1000))\n    plt.savefig('a.png')\n"
    )
    answer = run(code, outputs=["a.png"])
    assert (answer["status"], len(answer["files"])) == ("ok", 1), answer
