"""What the image holds, what the template imports of it, and how a request gets more."""

from soulbox_core import Dependencies

PYPI = (
    "beautifulsoup4>=4.14,<5",
    "httpx>=0.28,<1",
    "jinja2>=3.1,<4",
    "lxml>=6,<7",
    "matplotlib>=3.11,<4",
    "networkx>=3.6,<4",
    "numpy>=2.4,<3",
    "openpyxl>=3.1,<4",
    "pandas>=3,<4",
    "pillow>=12,<14",
    "pip>=26",  # installs what a request depends on
    "pydantic>=2.12,<3",
    "pytest>=9,<10",
    "pyyaml>=6,<7",
    "regex",  # has no versions but dates
    "requests>=2.32,<3",
    "scikit-learn>=1.8,<2",
    "scipy>=1.17,<2",
    "seaborn>=0.13,<1",
    "sortedcontainers>=2.4,<3",
    "sympy>=1.14,<2",
    "tabulate>=0.9,<1",
    "tqdm>=4.67,<5",
)

PRELOADS = (
    "numpy",
    "pandas",
    # scipy and scikit-learn import their parts when they are asked for; these bring in the others.
    "scipy.signal",
    "scipy.stats",
    "sklearn.cluster",
    "sklearn.datasets",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "seaborn",
    "sympy",
    "networkx",
    "PIL.Image",
    "requests",
    "bs4",
    "lxml.html",
    "openpyxl",
    "yaml",
    "jinja2",
    "pydantic",
    "regex",
    "sortedcontainers",
    "tabulate",
)

_VERSION = r"(?:===?|~=|!=|<=?|>=?) ?[A-Za-z0-9.*+!_-]+"

DEPENDENCIES = Dependencies(
    # A name, extras and versions of PEP 508, and neither an address nor a marker. Of the ways to
    # spell a name that PEP 503 calls equal only one is taken: the operator's lists know no others.
    requirement=(
        r"([A-Za-z0-9]+(?:-[A-Za-z0-9]+)*)"
        r"(?:\[[A-Za-z0-9-]+(?:, ?[A-Za-z0-9-]+)*\])?"
        rf"(?: ?{_VERSION}(?:, ?{_VERSION})*)?"
    ),
    install=(
        "env",
        # As a user's own packages: what the image has in a fitting version is not fetched again.
        "PYTHONUSERBASE={out}",
        # Makes pip write .pyc files that are valid whatever date their sources get.
        "SOURCE_DATE_EPOCH=315532800",
        *("python3", "-m", "pip", "install", "--user", "--break-system-packages"),
        *("--only-binary=:all:", "--no-cache-dir", "--no-input", "--no-warn-script-location"),
        *("--disable-pip-version-check", "--progress-bar=off", "--", "{requirements}"),
    ),
    env={"PYTHONUSERBASE": "{dependencies}"},
    warm=True,
)
