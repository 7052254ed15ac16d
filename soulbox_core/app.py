"""The composition root: settings in, a running service out. It alone names concrete classes."""

import asyncio
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import perf_counter

import uvloop
from hypercorn.asyncio import serve as serve_http
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.types import ASGIApp

from soulbox_core import certificates, registry
from soulbox_core.api import application
from soulbox_core.api.server import bound
from soulbox_core.commands import command_line, variables
from soulbox_core.egress.proxy import host
from soulbox_core.errors import (
    HostError,
    ImageError,
    LanguageError,
    PluginError,
    SettingsError,
)
from soulbox_core.execution.artifacts import ArtifactStore
from soulbox_core.execution.compile_cache import CompileCache
from soulbox_core.execution.executor import Executor
from soulbox_core.execution.helper import Helpers
from soulbox_core.execution.installer import Installer
from soulbox_core.images.catalog import Builder, Found
from soulbox_core.language import Source
from soulbox_core.registry import Registry
from soulbox_core.sandbox import cgroup, seccomp
from soulbox_core.sandbox.containers import ContainerSandbox
from soulbox_core.sandbox.instance import Instance
from soulbox_core.sandbox.podman import Podman
from soulbox_core.sandbox.podman_env import podman_environment
from soulbox_core.service.admission import Admission
from soulbox_core.service.builds import Builds, Toolchain
from soulbox_core.service.capacity import memory_for_cells
from soulbox_core.service.catalog import Catalog
from soulbox_core.service.installs import Installs, Reach
from soulbox_core.service.policy import Policy
from soulbox_core.service.runs import Runs
from soulbox_core.settings import Server, Settings

logger = logging.getLogger(__name__)

_FOR_EVER = 1 << 62
_CLOSE_SECONDS = 5.0
_PING_SECONDS = 20.0


def serve(settings: Settings) -> None:
    """Run the service until SIGTERM or SIGINT, then drain.

    :raises StartupError: the host, the settings or an image is not fit; says what to do
    """
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )
    _raise_descriptor_limit()
    uvloop.run(_serve(settings))


@asynccontextmanager
async def open_sandbox(
    settings: Settings, languages: Registry, images: Mapping[str, Found]
) -> AsyncIterator[ContainerSandbox]:
    """A started sandbox for every language; closed, it leaves nothing behind.

    :param images: of every language
    :raises StartupError: the host is not fit
    :raises SandboxError: Podman, the kernel or an image is not
    """
    roots = cgroup.find(settings.cgroup.roots)
    profile = settings.podman.seccomp_profile
    seccomp_program = seccomp.compile_filter(Path(profile) if profile else None)
    instance = Instance(Path(settings.state_dir), settings.instance)
    try:
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
            )
            try:
                await sandbox.start()
                yield sandbox
            finally:
                await sandbox.close()
        finally:
            await podman.stop()
    finally:
        instance.close()


async def _serve(settings: Settings) -> None:
    started_at = perf_counter()
    languages = registry.load(settings)
    if not languages.languages:
        raise PluginError("soulbox", "no language is installed; pip install soulbox-python")
    reaches = _reaches(settings, languages)
    door = _bound_socket(settings.server)
    images = _images(settings, languages)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_sandbox(settings, languages, images) as sandbox, AsyncExitStack() as stack:
        limits = settings.limits
        executor = Executor(sandbox)
        cache = CompileCache(ArtifactStore(sandbox.store_dir, settings.cache.store_bytes))
        stack.push_async_callback(cache.close)
        toolchains = {
            name: Toolchain(
                plugin_version=languages.versions.get(name, ""),
                image=f"{image.tag} {image.created}",
            )
            for name, image in images.items()
        }
        installs = Installs(
            cache,
            Installer(sandbox),
            reaches,
            toolchains,
            limits.install,
            certificates.bundle(os.environ),
        )
        helpers = _helpers(settings, languages, sandbox, stack)
        builds = Builds(cache, executor, helpers, toolchains)
        catalog = Catalog(languages, sandbox, executor, limits.default, installs.languages)
        await asyncio.gather(catalog.probe(), *(each.start() for each in helpers.values()))
        admission = Admission(
            memory_bytes=_memory_for_runs(settings, len(helpers)),
            queue=settings.admission.queue,
            queue_seconds=settings.admission.queue_seconds,
        )
        policy = Policy(default=limits.default, ceiling=limits.ceiling)
        runs = Runs(catalog, policy, admission, installs, builds, executor, limits)
        app: Starlette = application.build(runs, catalog, settings)
        url = f"http://{settings.server.host}:{door.getsockname()[1]}"
        _announce(url, languages, catalog, perf_counter() - started_at)

        async def until_drained() -> None:
            await stop.wait()
            await _drain(admission, settings.server.drain_seconds, stop)
            await stack.aclose()
            await sandbox.close()  # whoever still runs is answered before the connections close

        await _listen(app, door, until_drained)


def _helpers(
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


def _memory_for_runs(settings: Settings, helped: int) -> int:
    """What runs may reserve together: all there is for cells, less what compile helpers may use.

    :param helped: languages that have helpers
    :raises HostError: nothing is left
    """
    if settings.admission.memory_bytes:
        return settings.admission.memory_bytes
    helpers = helped * settings.pool.compilers * settings.limits.compile.memory_bytes
    left = memory_for_cells() - helpers
    if left < settings.limits.default.memory_bytes:
        raise HostError(
            f"{helpers} bytes for compile helpers leave no memory for runs; lower"
            " limits.compile.memory_bytes, or set admission.memory_bytes"
        )
    return left


def _reaches(settings: Settings, languages: Registry) -> dict[str, Reach]:
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


def _raise_descriptor_limit() -> None:
    """A running cell takes some fifteen descriptors, a client one; the usual 1,024 are few."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _drain(admission: Admission, drain_seconds: float, stop: asyncio.Event) -> None:
    """Refuse new runs and let the running ones end; a second signal cuts it short."""
    admission.close()
    if not admission.running and not admission.waiting:
        return
    logger.info("draining: %d running, %d waiting", admission.running, admission.waiting)
    stop.clear()
    idle = asyncio.create_task(admission.wait_idle(drain_seconds))
    again = asyncio.create_task(stop.wait())
    await asyncio.wait((idle, again), return_when=asyncio.FIRST_COMPLETED)
    for task in (idle, again):
        task.cancel()
    if admission.running:
        logger.warning("killing %d running", admission.running)


def _bound_socket(server: Server) -> socket.socket:
    """Take the address before anything is started for it; nobody can connect yet.

    :raises HostError: it cannot be had
    """
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((server.host, server.port))
    except OSError as error:
        door.close()
        raise HostError(
            f"cannot listen on {server.host}:{server.port}: {error.strerror}; set server.host and"
            " server.port to an address that is free"
        ) from None
    return door


async def _listen(app: ASGIApp, door: socket.socket, until_drained: object) -> None:
    config = Config()
    config.bind = [f"fd://{door.fileno()}"]
    config.accesslog = None
    config.errorlog = logging.getLogger("hypercorn.error")
    config.include_server_header = False
    config.graceful_timeout = _CLOSE_SECONDS
    config.shutdown_timeout = _CLOSE_SECONDS
    # Hypercorn counts requests to end a connection gracefully, which on HTTP/2 cuts the
    # streams that are under way.
    config.keep_alive_max_requests = _FOR_EVER
    bound(config)
    config.websocket_ping_interval = _PING_SECONDS
    await serve_http(app, config, shutdown_trigger=until_drained)  # type: ignore[arg-type]  # Hypercorn wants its own app type


def _images(settings: Settings, languages: Registry) -> dict[str, Found]:
    """:raises ImageError: some are not built; says how to"""
    found = Builder(settings).found(languages.languages.values())
    missing = [name for name in languages.languages if name not in found]
    if missing:
        raise ImageError(f"no image for {', '.join(missing)}; run: soulbox images build")
    return found


def _announce(url: str, languages: Registry, catalog: Catalog, seconds: float) -> None:
    for fault in catalog.faults():
        print(f"✗ {fault.plugin}: {fault.detail}", flush=True)
    for entry in catalog.entries():
        mark = "✓" if entry.ready else "✗"
        print(f"{mark} {entry.title} ({entry.version or 'version unknown'})", flush=True)
    print(f"SoulBox is ready at {url} after {seconds:.1f} s. Try:", flush=True)
    first = next(iter(languages.languages.values()))
    print(f"  curl --data-binary '{first.hello.strip()}' {url}/v1/run/{first.name}", flush=True)
