"""The crates that the image holds, compiled, and how crates are asked for."""

REQUIREMENT = (
    r"([A-Za-z][A-Za-z0-9_-]{0,63})"
    r"(?:\[([A-Za-z0-9_+./,-]*)\])?"
    r"(?:[@=]([0-9A-Za-z.*^~<>=,+-]+))?"
)
"""A crate, features in brackets, and a version as in a Cargo.toml; as in image/crates.py."""

CRATES = (
    "ac-library-rs=0.1",
    "anyhow=1",
    "async-trait=0.1",
    "base64=0.22",
    "bitflags=2",
    "bytes=1",
    "chrono[serde]=0.4",
    "clap[derive]=4",
    "crossbeam=0.8",
    "csv=1",
    "futures=0.3",
    "hex=0.4",
    "indexmap[serde]=2",
    "itertools=0.14",
    "lazy_static=1",
    "libc=0.2",
    "ndarray=0.16",
    "num=0.4",
    "num-bigint[serde]=0.4",
    "num-complex=0.4",
    "num-integer=0.1",
    "num-rational=0.4",
    "num-traits=0.2",
    "once_cell=1",
    "ordered-float=5",
    "parking_lot=0.12",
    "petgraph=0.8",
    "proconio[derive]=0.5",
    # The one that has today's names and, deprecated, those of 0.8 that most programs use.
    "rand=0.9",
    "rand_chacha=0.9",
    "rayon=1",
    "regex=1",
    "rustc-hash=2",
    "serde[alloc,derive,rc]=1",
    "serde_json=1",
    "sha2=0.10",
    "smallvec=1",
    "thiserror=2",
    "tokio[full]=1",
    "uuid[serde,v4]=1",
)
