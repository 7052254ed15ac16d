"""A file of a cgroup that stays open."""

import copy
import os
from typing import Self

from soulbox_core.errors import CgroupError


class ControlFile:
    """An open cgroup file, read again and again from its start.

    :raises CgroupError: when the kernel refuses
    """

    def __init__(self, path: str, flags: int = os.O_RDONLY) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, flags | os.O_CLOEXEC)
        except OSError as error:
            raise CgroupError(f"cannot open {path}: {error.strerror}") from error

    def read(self) -> bytes:
        try:
            return os.pread(self._descriptor, 4096, 0)
        except OSError as error:
            raise CgroupError(f"cannot read {self._path}: {error.strerror}") from error

    def write(self, value: bytes) -> bool:
        """Return whether the kernel took the value."""
        try:
            os.pwrite(self._descriptor, value, 0)
        except OSError:
            return False
        return True

    def number(self) -> int:
        return int(self.read())

    def field(self, name: bytes) -> int:
        """The value of a `name value` line; 0 where this kernel has no such line."""
        for line in self.read().splitlines():
            key, _, value = line.partition(b" ")
            if key == name:
                return int(value)
        return 0

    def twin(self) -> Self:
        """The same file by a descriptor of its own: what becomes of this one is nothing to it.

        :raises CgroupError: this one is closed, or no descriptor is to be had
        """
        twin = copy.copy(self)
        try:
            twin._descriptor = os.dup(self._descriptor)
        except OSError as error:
            raise CgroupError(f"cannot open {self._path} again: {error.strerror}") from error
        return twin

    def close(self) -> None:
        """Safe to call twice; a read after it fails."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
