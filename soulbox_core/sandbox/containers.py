"""The sandbox: a pool per language, over rootless Podman and the host's cgroups."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec

from soulbox_core.errors import CgroupError, ContainerError, LanguageError
from soulbox_core.language import Language
from soulbox_core.sandbox import volumes
from soulbox_core.sandbox.cell import ContainerCell
from soulbox_core.sandbox.cgroup import Cgroups
from soulbox_core.sandbox.container import Container, ContainerSettings
from soulbox_core.sandbox.instance import Instance
from soulbox_core.sandbox.monitor import Monitor
from soulbox_core.sandbox.podman import ContainerSpec, Podman
from soulbox_core.sandbox.pool import OnLost, Pool
from soulbox_core.sandbox.pool_figures import PoolFigures
from soulbox_core.sandbox.port import Kind, in_order
from soulbox_core.sandbox.startup import Startup
from soulbox_core.sandbox.trust import write_trust
from soulbox_core.settings import PolicySettings, Settings

logger = logging.getLogger(__name__)

LAUNCHER_DIR = Path(__file__).with_name("launcher")


class ContainerSandbox:
    """Implements `soulbox_core.sandbox.port.Sandbox`.

    :param images: language name to the image its containers are made of
    :param certificates: the authorities by which runs with a way out know other hosts, as PEM
    :raises SettingsError: a volume cannot be one
    """

    def __init__(
        self,
        languages: Mapping[str, Language],
        images: Mapping[str, str],
        settings: Settings,
        instance: Instance,
        podman: Podman,
        cgroups: Cgroups,
        seccomp: bytes,
        certificates: bytes = b"",
    ) -> None:
        self._languages = languages
        self._images = images
        self._instance = instance
        self._podman = podman
        self._cgroups = cgroups
        self._certificates = certificates
        self._trust_dir = instance.run_dir / "trust"
        self._volumes = volumes.checked(settings.volumes, Path(settings.state_dir))
        self._container_settings = ContainerSettings(
            default=settings.limits.default,
            open_files=settings.limits.ceiling.open_files,
            memory_bytes=settings.pool.container_memory_bytes,
            making_seconds=settings.pool.making_seconds,
            seccomp=seccomp,
            monitor=Monitor(),
        )
        self._pools = {name: self._pool(language, settings) for name, language in languages.items()}
        self._startup = Startup(self._pools)

    @property
    def store_dir(self) -> Path:
        """The directory whose subdirectories, one a language, its cells see at /store."""
        return self._instance.store_dir

    async def start(self) -> None:
        """Remove what an earlier life left, then begin to start every language's pool.

        :raises ContainerError: Podman does not work
        """
        write_trust(self._trust_dir, self._certificates)
        containers = await self._podman.remove_all_of(self._instance.id)
        trees = await asyncio.to_thread(self._cgroups.sweep)
        if containers or trees:
            logger.info("removed %d orphan containers, %d cgroup trees", containers, trees)
        self._startup.begin()

    async def started(self) -> None:
        """Wait until every language has started, or failed to for the first time.

        A language that does not start is logged, not ready, and tried again; the others work.

        :raises ContainerError: no language starts
        """
        await self._startup.done()

    async def close(self) -> None:
        """Kill every cell and remove every container."""
        await self._startup.close()
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))
        try:
            await asyncio.to_thread(self._cgroups.remove)
        except CgroupError as error:
            logger.error("%s", error)

    async def claim(self, language: str, kind: Kind) -> ContainerCell:
        """See `soulbox_core.sandbox.port.Sandbox.claim`."""
        if not kind.cold and not self._languages[language].warm:
            # Without a runtime to have ready, every cell is a cold one.
            kind = msgspec.structs.replace(kind, cold=True)
        if not {name for name, _ in self._volumes}.issuperset(kind.volumes):
            raise ContainerError("no such volume")  # who was to check the name did not
        await self._startup.reached(language)
        return await self._pools[language].claim(kind)

    def ready(self, language: str) -> bool:
        """See `soulbox_core.sandbox.port.Sandbox.ready`."""
        return self._pools[language].ready

    def figures(self) -> dict[str, PoolFigures]:
        """How the pool of each language is."""
        return {name: pool.figures() for name, pool in self._pools.items()}

    def _pool(self, language: Language, settings: Settings) -> Pool:
        own = settings.language(language.name).parked
        limits = settings.limits
        hidden = in_order(settings.policies.get("default", PolicySettings()).hidden)
        run = Kind(
            cold=not language.warm, scratch_bytes=limits.default.scratch_bytes, hidden=hidden
        )
        targets = {run: settings.pool.parked if own is None else own}
        if language.compile is not None and language.compiler is None:
            compiling = Kind(cold=True, scratch_bytes=limits.compile.scratch_bytes, hidden=hidden)
            targets[compiling] = targets.get(compiling, 0) + settings.pool.compilers
        return Pool(
            language.name,
            lambda on_lost: self._new_container(language, on_lost),
            targets=targets,
            boots=language.boot is not None,
            container_cells=settings.pool.container_cells,
        )

    def _store(self, language: str) -> Path:
        """The directory that holds what is kept for the language's cells.

        :raises ContainerError: it cannot be made
        """
        directory = self._instance.store_dir / language
        try:
            directory.mkdir(mode=0o711, parents=True, exist_ok=True)
            directory.chmod(0o711)  # a cell opens what it knows the key of, and lists nothing
        except OSError as error:
            raise ContainerError(f"{error.filename}: {error.strerror}") from error
        return directory

    async def _new_container(self, language: Language, on_lost: OnLost) -> Container:
        name = f"soulbox-{self._instance.id}-{language.name}-{secrets.token_hex(4)}"
        spec = ContainerSpec(
            name=name,
            image=self._images[language.name],
            language=language.name,
            instance=self._instance.id,
            control_dir=str(self._instance.run_dir / name.removeprefix("soulbox-")[9:]),
            launcher_dir=str(LAUNCHER_DIR),
            template=None if language.template is None else str(language.template),
            store_dir=str(self._store(language.name)),
            open_files=self._container_settings.open_files,
            trust_dir=str(self._trust_dir),
            volumes=self._volumes,
        )
        try:
            tree = await asyncio.to_thread(self._cgroups.tree, name)
        except CgroupError as error:
            raise ContainerError(str(error)) from error
        try:
            container = Container(
                spec, language, self._container_settings, self._podman, tree, on_lost
            )
        except LanguageError as error:
            raise ContainerError(f"{language.name}: {error}") from error
        try:
            await container.start()
        except (ContainerError, CgroupError) as error:
            await container.destroy()
            raise ContainerError(str(error)) from error
        except asyncio.CancelledError:
            await container.destroy()
            raise
        return container
