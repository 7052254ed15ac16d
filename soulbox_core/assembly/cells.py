"""What runs programs: the sandbox, the compile helpers, what installs may reach."""

import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from soulbox_core import certificates
from soulbox_core.commands import command_line, variables
from soulbox_core.egress.hosts import host
from soulbox_core.errors import LanguageError, SettingsError
from soulbox_core.execution.helper import Helpers
from soulbox_core.images.catalog import Found
from soulbox_core.language import Source
from soulbox_core.registry import Registry
from soulbox_core.sandbox import cgroup, seccomp
from soulbox_core.sandbox.containers import ContainerSandbox
from soulbox_core.sandbox.instance import Instance
from soulbox_core.sandbox.podman import Podman
from soulbox_core.sandbox.podman_env import podman_environment
from soulbox_core.service.admission import Admission
from soulbox_core.service.capacity import room_for_runs
from soulbox_core.service.installs import Reach
from soulbox_core.service.room import room_of
from soulbox_core.settings import Settings

logger = logging.getLogger(__name__)


@asynccontextmanager
async def open_sandbox(
    settings: Settings, languages: Registry, images: Mapping[str, Found], instance: Instance
) -> AsyncIterator[ContainerSandbox]:
    roots = cgroup.find(settings.cgroup.roots)
    profile = settings.podman.seccomp_profile
    seccomp_program = seccomp.compile_filter(Path(profile) if profile else None)
    podman = Podman(podman_environment(settings), instance.run_dir / "podman.sock")
    cgroups = cgroup.open_cgroups(roots, instance.id)
    await podman.start()
    try:
        sandbox = ContainerSandbox(
            languages.languages,
            {name: image.tag for name, image in images.items()},
            settings,
            instance,
            podman,
            cgroups,
            seccomp_program,
            certificates.bundle(os.environ),
        )
        try:
            await sandbox.start()
            yield sandbox
        finally:
            await sandbox.close()
    finally:
        await podman.stop()


def helpers_of(
    settings: Settings, languages: Registry, sandbox: ContainerSandbox, stack: AsyncExitStack
) -> dict[str, Helpers]:
    """The compile helpers of the languages that have one, to be started; the stack closes them."""
    found = {}
    for name, language in languages.languages.items():
        if language.compiler is not None:
            source = Source(limits=settings.limits.compile)
            try:
                argv, env = command_line(language.compiler, source), variables(language, source)
            except LanguageError as error:  # its compile steps run one by one instead
                logger.error("%s: no compile helper: %s", name, error)
                continue
            found[name] = Helpers(
                sandbox,
                name,
                argv,
                env,
                settings.limits.compile,
                count=settings.pool.compilers,
                compiles=settings.pool.compiles,
            )
            stack.push_async_callback(found[name].close)
    return found


def admission_of(
    settings: Settings, languages: Registry, reaches: Mapping[str, Reach], helped: int
) -> Admission:
    """Lets runs in while there is room for them.

    :param helped: languages that have compile helpers
    :raises SettingsError: it is set, and a step that requests may lead to unasked needs more
    :raises HostError: the host has not as much
    """
    limits = settings.limits
    least = room_of(limits.default)
    if any(language.compile is not None for language in languages.languages.values()):
        least |= room_of(limits.compile)
    if reaches:
        least |= room_of(limits.install)
    groups = {*cgroup.find(settings.cgroup.roots).directories.values()}
    return Admission(
        room=room_for_runs(settings, groups, helped, least),
        queue=settings.admission.queue,
        queue_seconds=settings.admission.queue_seconds,
    )


def reaches_of(settings: Settings, languages: Registry) -> dict[str, Reach]:
    """What each language's installs may reach, for those that may install at all.

    :raises SettingsError: a host cannot be one, or the language has no package manager here
    """
    reaches = {}
    for name, language in languages.languages.items():
        own = settings.language(name).dependencies
        key = f"languages.{name}.dependencies.hosts"
        if own.hosts and language.dependencies is None:
            raise SettingsError(f"{key}: {name} cannot install packages")
        try:
            hosts = frozenset(host(text) for text in own.hosts)
        except ValueError as error:
            raise SettingsError(f"{key}: {error}") from None
        if hosts:
            reaches[name] = Reach(settings=own, hosts=hosts)
    return reaches
