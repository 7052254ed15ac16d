"""All cgroup I/O: two backends behind one interface, chosen once at start."""

from soulbox_core.sandbox.cgroup.detect import CgroupRoots, find
from soulbox_core.sandbox.cgroup.gauge import Gauge
from soulbox_core.sandbox.cgroup.leaf import Cgroups, Counters, Leaf, Tree
from soulbox_core.sandbox.cgroup.v1 import V1Cgroups
from soulbox_core.sandbox.cgroup.v2 import V2Cgroups

__all__ = ["CgroupRoots", "Cgroups", "Counters", "Gauge", "Leaf", "Tree", "find", "open_cgroups"]


def open_cgroups(roots: CgroupRoots, instance: str) -> Cgroups:
    """Take possession of the roots that `find` returned, for one instance.

    :raises CgroupError: the kernel refuses
    """
    if roots.version == 2:
        return V2Cgroups(roots.directories["unified"], instance)
    return V1Cgroups(roots.directories, instance)
