"""Where and how programs are run."""

from soulbox_core.settings.section import Count, Positive, Seconds, Section


class Admission(Section):
    """How much may run and wait at one time."""

    memory_bytes: Count = 0
    """Memory that running cells may reserve together; 0 means three quarters of the host's."""
    processes: Count = 0
    """Processes and threads that they may have together; 0 means three quarters of the host's."""
    queue: Count = 512
    """Most requests waiting; one more is refused."""
    queue_seconds: Seconds = 30.0
    """Longest wait before a request is refused."""


class Pool(Section):
    """Warmth, per language."""

    parked: Count = 4
    """Parked cells kept ready."""
    compilers: Positive = 1
    """Parked cells kept ready for compile steps, or compile helpers kept running."""
    compiles: Positive = 1000
    """Compile steps that one helper does before it is replaced."""
    container_cells: Positive = 10_000
    """Cells made in one container before it is replaced, and with it the secret of str hashes
    and the address layout that the cells of one template share."""
    making_seconds: Seconds = 20.0
    """Longest that a template or cell may take to get ready before its container is replaced."""
    container_memory_bytes: Positive = 1 << 30
    """Memory of one container's launcher and templates, without its cells."""


class Cache(Section):
    """What is kept because making it again costs time."""

    store_bytes: Positive = 4 << 30
    """What compile steps made and requests had installed, on disk; the least recently used goes
    first."""


class Podman(Section):
    """How rootless Podman is driven."""

    runtime: str = ""
    """OCI runtime; empty chooses crun on cgroup v2 and runc on v1."""
    seccomp_profile: str = ""
    """The containers-common profile to start from; empty looks in the usual places."""


class Images(Section):
    """How language images are built."""

    sources: tuple[str, ...] = ()
    """One-line apt sources (`deb URI trixie main`) or mirror URIs; empty means Debian's own."""
    stores: tuple[str, ...] = ()
    """Directories with images that `soulbox images bake` wrote, to be read where they lie."""


class Cgroup(Section):
    """Where cells' cgroups are made."""

    roots: tuple[str, ...] = ()
    """One writable v2 directory, or one writable v1 directory per controller, named by it
    (.../memory, .../pids, .../cpu). Empty looks for what scripts/serve prepares."""
