"""What runs and other steps may use."""

from soulbox_core.model import Limits
from soulbox_core.settings.section import Section


class Ceiling(Limits):
    """The most that a run may ask for."""

    memory_bytes: int = 2 << 30
    cpu_seconds: float = 120.0
    wall_seconds: float = 300.0
    cpus: float = 4.0
    processes: int = 512
    open_files: int = 4096
    file_size_bytes: int = 1 << 30
    scratch_bytes: int = 1 << 30
    output_bytes: int = 16 << 20
    output_file_bytes: int = 64 << 20


class CompileLimits(Limits):
    """What a compile step may use, or a compile helper. No request changes it."""

    memory_bytes: int = 1 << 30
    cpu_seconds: float = 60.0
    wall_seconds: float = 30.0
    cpus: float = 2.0
    processes: int = 128
    open_files: int = 1024
    file_size_bytes: int = 256 << 20
    scratch_bytes: int = 512 << 20
    output_bytes: int = 1 << 20
    output_file_bytes: int = 64 << 20


class InstallLimits(Limits):
    """What installing a request's packages may use. No request changes it."""

    memory_bytes: int = 2 << 30
    cpu_seconds: float = 300.0
    wall_seconds: float = 120.0
    cpus: float = 2.0
    processes: int = 128
    open_files: int = 4096
    file_size_bytes: int = 512 << 20
    scratch_bytes: int = 1 << 30
    output_bytes: int = 1 << 20
    output_file_bytes: int = 512 << 20


class LimitSettings(Section):
    """What a run gets unasked, the most it may ask for, what compiling and installing get."""

    default: Limits = Limits()
    ceiling: Ceiling = Ceiling()
    compile: CompileLimits = CompileLimits()
    install: InstallLimits = InstallLimits()

    def __post_init__(self) -> None:
        for name in Limits.__struct_fields__:
            default, ceiling = getattr(self.default, name), getattr(self.ceiling, name)
            if default <= 0:
                raise ValueError(f"default.{name} must be more than 0")
            if default > ceiling:
                raise ValueError(f"default.{name} = {default} is above ceiling.{name} = {ceiling}")
