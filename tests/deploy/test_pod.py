"""The pod of deploy/kubernetes is what SoulBox and Pod Security want: settings that load, ports and
paths that are there, rights that nesting needs and no more."""

import copy
import re
import subprocess
import tomllib
from collections.abc import Callable
from importlib.metadata import EntryPoint
from ipaddress import ip_address, ip_network
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from soulbox_core import hookspecs, registry
from soulbox_core.api.routes import METRICS_PATHS, PATHS
from soulbox_core.errors import SettingsError
from soulbox_core.identity.shared_signing import SharedSigning
from soulbox_core.registry import Registry
from soulbox_core.scopes import METRICS
from soulbox_core.service.capacity import memory_for_cells, room_for_runs
from soulbox_core.service.room import room_of
from soulbox_core.settings import Settings, load
from tests.deploy.manifests import (
    COMPONENTS,
    FOLDER,
    OVERLAYS,
    Object,
    container_of,
    environment,
    of_kind,
    only,
    pod_of,
    quantity,
    render,
    render_with,
)
from tests.deploy.test_container import CAPABILITIES, CONTAINERFILE

SECRETS = {
    "database-user": "soulbox",
    "database-password": "secret",
    "redis-url": "rediss://soulbox:secret@redis.redis.svc.cluster.local:6379/0",
    "idempotency-redis-url": "rediss://soulbox:secret@redis.redis.svc.cluster.local:6379/1",
    "results-secret": "s" * 32,
}
"""What docs/kubernetes.md has an operator put into the Secret `soulbox`."""

IN_CLUSTER = {"shared", "signing-key", "pod-monitor", "keda"}
"""Components that the overlay of that name has."""
IMAGE = dict(re.findall(r"(SOULBOX_[A-Z_]+)='?([^\s']+)", CONTAINERFILE.replace("\\\n", "")))
"""Variables of the image."""
ALL = "all"
every_way = pytest.mark.parametrize("way", [*OVERLAYS, ALL])


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Object]]:
    """Each overlay, and one of them with every component, by name."""
    found = {name: render(FOLDER / "overlays" / name) for name in OVERLAYS}
    more = [name for name in COMPONENTS if name not in IN_CLUSTER | {"hpa"}]
    place = tmp_path_factory.mktemp("overlay")
    return found | {ALL: render_with(place, "overlays/cluster", more)}


def settings_of(objects: list[Object], directory: Path) -> Settings:
    """What the service in the pod is told, by its image too."""
    told = IMAGE | dict(environment(container_of(objects), SECRETS))
    (mount,) = (m for m in container_of(objects)["volumeMounts"] if m["name"] == "settings")
    path = PurePosixPath(told["SOULBOX_CONFIG"])
    assert str(path.parent) == mount["mountPath"]
    file = directory / path.name
    file.write_text(only(objects, "ConfigMap")["data"][path.name])
    return load(file, told)


@every_way
def test_what_is_set_are_settings(
    way: str, rendered: dict[str, list[Object]], tmp_path: Path
) -> None:
    settings = settings_of(rendered[way], tmp_path)
    assert bool(settings.database.url) == (way != "single")
    assert bool(settings.rates.redis) == bool(settings.results.redis) == (way != "single")
    assert bool(settings.server.idempotency_redis) == (way != "single")
    assert bool(settings.auth.signing_key) == (way != "single")
    assert settings.server.host == "0.0.0.0"


@every_way
def test_every_variable_is_one_of_soulboxs(way: str, rendered: dict[str, list[Object]]) -> None:
    names = [name for name, _ in environment(container_of(rendered[way]), SECRETS)]
    assert all(name.startswith("SOULBOX_") for name in names)
    assert len(names) == len(set(names))


@every_way
def test_nothing_secret_is_outside_of_a_secret(
    way: str, rendered: dict[str, list[Object]], tmp_path: Path
) -> None:
    objects = rendered[way]
    assert not of_kind(objects, "Secret")
    plain = {
        variable["name"]: variable["value"]
        for variable in container_of(objects).get("env", ())
        if "value" in variable
    }
    file = tmp_path / "soulbox.toml"
    file.write_text(only(objects, "ConfigMap")["data"][file.name])
    without = load(file, plain)
    assert without.database.password == without.results.secret == without.rates.redis == ""
    assert "@" not in without.database.url


def test_kubernetes_own_variables_would_stop_the_start(rendered: dict[str, list[Object]]) -> None:
    """A Service named soulbox has Kubernetes set these in every pod of its namespace, unless the
    pod says otherwise."""
    for variable in ("SOULBOX_SERVICE_HOST", "SOULBOX_PORT", "SOULBOX_NODES_PORT"):
        with pytest.raises(SettingsError):
            load(env={variable: "tcp://10.0.0.1:8000"})
    assert {each["metadata"]["name"] for each in of_kind(rendered["single"], "Service")} == {
        *("soulbox", "soulbox-nodes")
    }
    assert all(pod_of(objects)["enableServiceLinks"] is False for objects in rendered.values())


@every_way
def test_ports_are_those_that_the_service_listens_on(
    way: str, rendered: dict[str, list[Object]], tmp_path: Path
) -> None:
    objects = rendered[way]
    settings = settings_of(objects, tmp_path)
    ports = {port["name"]: port["containerPort"] for port in container_of(objects)["ports"]}
    listens = {"http": settings.server.port}
    if settings.grpc.port is not None:
        listens["grpc"] = settings.grpc.port
    assert ports == listens
    assert ("grpc" in ports) == (way == ALL)
    for service in of_kind(objects, "Service"):
        offered = {port["targetPort"]: port["port"] for port in service["spec"]["ports"]}
        assert offered == listens
    entered = {
        port["port"]
        for policy in of_kind(objects, "NetworkPolicy")
        for rule in policy["spec"].get("ingress", ())
        for port in rule["ports"]
    }
    assert entered == set(ports)


def test_probes_ask_for_paths_that_anybody_may_ask_for(rendered: dict[str, list[Object]]) -> None:
    paths = {each.name: each for each in PATHS}
    container = container_of(rendered["single"])
    for probe, name in (("startup", "readyz"), ("readiness", "readyz"), ("liveness", "healthz")):
        asked = container[f"{probe}Probe"]["httpGet"]
        assert asked["path"] == paths[name].path
        assert (paths[name].method, paths[name].scope) == ("GET", None)
        assert asked["port"] == "http"
        # server.hosts, if an operator sets it, does not have the pod's address.
        assert asked["httpHeaders"] == [{"name": "Host", "value": "localhost"}]


def test_what_is_scraped_is_there_and_named_as_the_alerts_have_it(
    rendered: dict[str, list[Object]],
) -> None:
    (path,) = METRICS_PATHS
    assert path.scope == METRICS
    monitor = only(rendered["cluster"], "PodMonitor")["spec"]
    (endpoint,) = monitor["podMetricsEndpoints"]
    assert endpoint["path"] == path.path
    assert endpoint["port"] in [port["name"] for port in container_of(rendered["cluster"])["ports"]]
    template = only(rendered["cluster"], "StatefulSet")["spec"]["template"]["metadata"]
    job = template["labels"][monitor["jobLabel"]]
    assert f'job="{job}"' in (FOLDER.parent / "prometheus" / "alerts.yml").read_text()


@every_way
def test_a_run_of_the_longest_survives_that_its_node_is_stopped(
    way: str, rendered: dict[str, list[Object]], tmp_path: Path
) -> None:
    """Between two ends of the grace period: the pod is killed only after the drain."""
    objects = rendered[way]
    settings = settings_of(objects, tmp_path)
    limits = settings.limits
    steps = (limits.install, limits.compile, limits.ceiling)
    longest = settings.admission.queue_seconds + sum(step.wall_seconds for step in steps)
    assert settings.server.drain_seconds >= longest
    told = settings.server.lame_duck_seconds
    assert told >= 5  # what it takes until every node of the cluster knows
    grace = pod_of(objects)["terminationGracePeriodSeconds"]
    assert grace >= told + settings.server.drain_seconds + 15
    text = (FOLDER.parents[1] / "docs/kubernetes.md").read_text()
    assert f"{told:g} s and\n{settings.server.drain_seconds:g} s" in text
    assert f"`terminationGracePeriodSeconds` is {grace}," in text


@pytest.fixture(scope="module")
def languages() -> Registry:
    """Those that this checkout has, installed or not."""
    points = [
        EntryPoint(name, value, hookspecs.PROJECT)
        for file in (FOLDER.parents[1] / "plugins").glob("*/pyproject.toml")
        for name, value in tomllib.loads(file.read_text())["project"]["entry-points"][
            hookspecs.PROJECT
        ].items()
    ]
    found = registry.load(Settings(), points)
    assert not found.faults
    assert len(found.languages) >= len(points)
    return found


def pod_memory(root: Path, limit: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """What SoulBox takes for cells in a container with that limit, on a machine with 1 TiB."""
    files = {
        "proc/meminfo": f"MemTotal:  {1 << 30} kB\n",
        "proc/self/cgroup": "0::/svc\n",
        "sys/fs/cgroup/svc/memory.max": "max\n",
        "sys/fs/cgroup/memory.max": f"{limit}\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    cells = memory_for_cells(root=root)
    monkeypatch.setattr("soulbox_core.service.capacity.memory_for_cells", lambda _: cells)
    return cells


@every_way
def test_memory_is_enough_for_runs_and_for_what_lies_beside_them(
    way: str,
    rendered: dict[str, list[Object]],
    languages: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    objects = rendered[way]
    settings = settings_of(objects, tmp_path)
    resources = container_of(objects)["resources"]
    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    limit = int(quantity(resources["limits"]["memory"]))
    cells = pod_memory(tmp_path / "node", limit, monkeypatch)
    helped = sum(language.compiler is not None for language in languages.languages.values())
    runs = room_for_runs(settings, (), helped, room_of(settings.limits.install))
    assert (cells, runs.memory_bytes) == (
        12 << 30,
        11 << 30,
    )  # docs/kubernetes.md has these
    assert runs.memory_bytes >= 4 * room_of(settings.limits.ceiling).memory_bytes

    tmpfs = sum(
        quantity(volume["emptyDir"]["sizeLimit"])
        for volume in pod_of(objects)["volumes"]
        if "emptyDir" in volume
    )
    held = settings.server.held_bytes + settings.server.idempotency_bytes
    assert tmpfs + held + settings.results.memory_bytes < (limit - cells) / 2


def test_a_run_may_have_as_many_cores_as_it_may_ask_for(
    rendered: dict[str, list[Object]], tmp_path: Path
) -> None:
    cores = quantity(container_of(rendered["single"])["resources"]["limits"]["cpu"])
    assert cores >= settings_of(rendered["single"], tmp_path).limits.ceiling.cpus


@every_way
def test_what_must_outlive_the_pod_is_on_its_volume(
    way: str, rendered: dict[str, list[Object]], tmp_path: Path
) -> None:
    objects = rendered[way]
    (claim,) = only(objects, "StatefulSet")["spec"]["volumeClaimTemplates"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container_of(objects)["volumeMounts"]}
    settings = settings_of(objects, tmp_path)
    assert mounts[claim["metadata"]["name"]] == settings.state_dir
    kept = settings.cache.store_bytes + settings.records.spool_bytes
    size = quantity(claim["spec"]["resources"]["requests"]["storage"])
    assert size >= 2 * kept
    volumes = {volume["name"] for volume in pod_of(objects)["volumes"]}
    assert {*mounts} == (volumes | {"state"}) - {"signing-key"}
    assert {"/tmp", "/var/tmp", "/run"} < {*mounts.values()}  # as Podman has it on a read-only root
    for volume in pod_of(objects)["volumes"]:
        assert volume.get("emptyDir", {"medium": "Memory"})["medium"] == "Memory"


def test_several_nodes_have_a_database_in_common(
    rendered: dict[str, list[Object]], tmp_path: Path
) -> None:
    """With the one inside each node, a key of one would be unknown to the others."""
    for way, objects in rendered.items():
        (tmp_path / way).mkdir()
        scaled = of_kind(objects, "ScaledObject") + of_kind(objects, "HorizontalPodAutoscaler")
        assert "replicas" not in only(objects, "StatefulSet")["spec"]  # it would fight the scaler
        if scaled:
            assert settings_of(objects, tmp_path / way).database.url, way


def test_who_is_named_is_let_out_to(rendered: dict[str, list[Object]], tmp_path: Path) -> None:
    """Redis, SurrealDB and the collector, each by the port of its URL; DNS; nothing else."""
    settings = settings_of(rendered[ALL], tmp_path)
    wanted = {
        *(urlsplit(url).port for url in (settings.database.url, settings.telemetry.otlp)),
        *(urlsplit(url).port for url in (settings.rates.redis, settings.results.redis)),
    }
    rules = {
        policy["metadata"]["name"]: {
            port["port"] for rule in policy["spec"].get("egress", ()) for port in rule["ports"]
        }
        for policy in of_kind(rendered[ALL], "NetworkPolicy")
    }
    assert rules.pop("soulbox-internet") == {80, 443}
    assert set().union(*rules.values()) == wanted | {53}
    of_single = only(rendered["single"], "NetworkPolicy")["spec"]
    assert {*of_single["policyTypes"]} == {"Ingress", "Egress"}
    assert [port["port"] for rule in of_single["egress"] for port in rule["ports"]] == [53, 53]
    for policy in of_kind(rendered[ALL], "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", ()):
            assert rule["from"], "an empty list lets everybody in"


def test_the_internet_is_none_of_the_private_networks(rendered: dict[str, list[Object]]) -> None:
    """As much as SoulBox itself refuses (docs/network.md): one wall behind the other."""
    policy = only(rendered[ALL], "NetworkPolicy", "soulbox-internet")["spec"]
    blocks = [peer["ipBlock"] for rule in policy["egress"] for peer in rule["to"]]

    def reached(text: str) -> bool:
        address = ip_address(text)
        return any(
            address in ip_network(block["cidr"])
            and not any(address in ip_network(each) for each in block["except"])
            for block in blocks
        )

    assert all(map(reached, ("93.184.215.14", "1.1.1.1", "2606:4700::1111")))
    for block in blocks:  # the API server refuses an exception that lies outside
        assert all(
            ip_network(each).subnet_of(ip_network(block["cidr"]))  # type: ignore[arg-type]
            for each in block["except"]
        )
    for text in (
        *("10.96.0.1", "172.20.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.169.254"),
        *("0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.0.192"),
        *("::1", "fd00::1", "fe80::1", "ff02::1", "64:ff9b::a00:1", "2002:a00:1::", "2001:db8::1"),
    ):
        assert not reached(text), text


def violations(pod: Object) -> list[str]:
    """What Pod Security's level `baseline`, of 1.35 or later, says against a pod."""
    said = [name for name in ("hostNetwork", "hostPID", "hostIPC") if pod.get(name)]
    default = {"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD"}
    default |= {"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"}
    types = {"container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
    said += ["hostPath" for volume in pod["volumes"] if "hostPath" in volume]
    containers = [*pod["containers"], *pod.get("initContainers", ())]
    for context in [pod.get("securityContext", {}), *(c["securityContext"] for c in containers)]:
        added = context.get("capabilities", {}).get("add", ())
        said += [each for each in added if each not in default]
        said += ["privileged"] if context.get("privileged") else []
        if context.get("procMount") == "Unmasked" and pod.get("hostUsers") is not False:
            said.append("procMount")
        for kind in ("seccompProfile", "appArmorProfile"):
            if context.get(kind, {}).get("type", "Localhost") == "Unconfined":
                said.append(kind)
        linux = context.get("seLinuxOptions", {})
        if linux.get("type", "container_t") not in types or {"user", "role"} & {*linux}:
            said.append("seLinuxOptions")
        said += ["sysctls"] if context.get("sysctls") else []
    said += ["hostPort" for c in containers for port in c.get("ports", ()) if "hostPort" in port]
    return said


@every_way
def test_the_namespace_enforces_what_the_pod_keeps(
    way: str, rendered: dict[str, list[Object]]
) -> None:
    labels = only(rendered[way], "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "baseline"
    assert labels["pod-security.kubernetes.io/enforce-version"] == "v1.35"
    assert violations(pod_of(rendered[way])) == []


def _privileged(pod: Object) -> None:
    pod["containers"][0]["securityContext"]["privileged"] = True


def _admin(pod: Object) -> None:
    pod["containers"][0]["securityContext"]["capabilities"]["add"].append("SYS_ADMIN")


def _host_users(pod: Object) -> None:
    del pod["hostUsers"]


def _unconfined(pod: Object) -> None:
    pod["securityContext"]["seccompProfile"] = {"type": "Unconfined"}


@pytest.mark.parametrize("change", [_privileged, _admin, _host_users, _unconfined])
def test_a_pod_with_more_rights_is_noticed(
    change: Callable[[Object], None], rendered: dict[str, list[Object]]
) -> None:
    pod = copy.deepcopy(pod_of(rendered["single"]))
    change(pod)
    assert len(violations(pod)) == 1


@every_way
def test_the_pod_has_what_nesting_needs_and_no_more(
    way: str, rendered: dict[str, list[Object]]
) -> None:
    pod = pod_of(rendered[way])
    context = container_of(rendered[way])["securityContext"]
    assert {*context["capabilities"]["add"]} == CAPABILITIES
    assert context["capabilities"]["drop"] == ["ALL"]
    assert context["readOnlyRootFilesystem"] is True
    assert context["privileged"] is False
    assert context["allowPrivilegeEscalation"] is True  # file capabilities of newuidmap
    assert context["procMount"] == "Unmasked"
    assert context["runAsUser"] == context["runAsGroup"] == 0
    assert pod["hostUsers"] is False
    assert (
        pod["runtimeClassName"] == only(render(FOLDER / "node"), "RuntimeClass")["metadata"]["name"]
    )
    profile = pod["securityContext"]["seccompProfile"]
    assert profile == {"type": "Localhost", "localhostProfile": "profiles/soulbox.json"}
    assert "fsGroup" not in pod["securityContext"]  # it opens the signing keys to a group
    assert pod["automountServiceAccountToken"] is False
    account = only(rendered[way], "ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == account["metadata"]["name"]
    for beside in pod.get("initContainers", ()):
        least: dict[str, Any] = beside["securityContext"]
        assert least["allowPrivilegeEscalation"] is False
        assert least["readOnlyRootFilesystem"] is True
        assert least["capabilities"]["drop"] == ["ALL"]
        assert "add" not in least["capabilities"]
        assert least["runAsNonRoot"] is True


def test_the_runtime_class_has_a_handler_in_both_runtimes() -> None:
    handler = only(render(FOLDER / "node"), "RuntimeClass")["handler"]
    containerd = tomllib.loads((FOLDER / "node" / "containerd.toml").read_text())
    runtimes = containerd["plugins"]["io.containerd.cri.v1.runtime"]["containerd"]["runtimes"]
    assert runtimes[handler]["cgroup_writable"] is True
    assert runtimes[handler]["options"]["SystemdCgroup"] is True
    crio = tomllib.loads((FOLDER / "node" / "crio.conf").read_text())["crio"]["runtime"]
    assert handler in crio["runtimes"]
    (workload,) = crio["workloads"].values()
    patch = (FOLDER / "components" / "cri-o" / "kustomization.yaml").read_text()
    (annotation,) = re.findall(r'(\S+): "true"', patch)
    assert workload["activation_annotation"] == annotation
    assert workload["allowed_annotations"] == [annotation]


def test_the_kubelet_lets_a_cell_die_alone_and_there_be_many() -> None:
    kubelet = msgspec.yaml.decode((FOLDER / "node" / "kubelet.conf").read_bytes())
    assert kubelet.pop("apiVersion") == "kubelet.config.k8s.io/v1beta1"
    assert kubelet.pop("kind") == "KubeletConfiguration"
    assert kubelet == {
        "cgroupDriver": "systemd",
        "singleProcessOOMKill": True,
        "podPidsLimit": 8192,
    }
    text = (FOLDER.parents[1] / "docs/kubernetes.md").read_text()
    assert f"{kubelet['podPidsLimit']} or more" in text


def beside_of(objects: list[Object], name: str) -> Object:
    """An init container."""
    (found,) = (each for each in pod_of(objects)["initContainers"] if each["name"] == name)
    return dict(found)


def test_a_container_that_is_started_again_clears_what_the_one_before_left() -> None:
    """/tmp is the pod's and outlives the container. What is there is the service's user's, and
    root without DAC_OVERRIDE may not remove it."""
    entry = (FOLDER.parent / "container" / "entrypoint").read_text()
    (line,) = re.findall(r"(?m)^.*\$XDG_RUNTIME_DIR.*$", entry)
    assert line == 'as_service rm -rf "$XDG_RUNTIME_DIR"'


def test_a_signing_key_is_where_it_is_looked_for_and_the_users_own(
    rendered: dict[str, list[Object]], tmp_path: Path
) -> None:
    """The init container's command, done to a Secret as the kubelet mounts one."""
    settings = settings_of(rendered["cluster"], tmp_path)
    beside = beside_of(rendered["cluster"], "signing-key")
    container = container_of(rendered["cluster"])
    assert beside["image"] == container["image"]

    mounts = {mount["name"]: mount["mountPath"] for mount in beside["volumeMounts"]}
    secret, keys = tmp_path / "signing-key", tmp_path / "keys"
    (secret / "..data").mkdir(parents=True)
    keys.mkdir()
    for name in ("signing.pem", "next.pem"):
        pem = Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        (secret / "..data" / name).write_bytes(pem)
        (secret / "..data" / name).chmod(0o444)
        (secret / name).symlink_to(f"..data/{name}")
    *shell, command = beside["command"]
    command = command.replace(f"{mounts['signing-key']}/", f"{secret}/")
    command = command.replace(f"{mounts['keys']}/", f"{keys}/")
    subprocess.run([*shell, command], check=True)

    (mounted,) = (each for each in container["volumeMounts"] if each["name"] == "keys")
    assert mounted["readOnly"]
    found = keys / Path(settings.auth.signing_key).relative_to(mounted["mountPath"])
    SharedSigning(str(found), [str(keys / "next.pem")])  # refuses what others may read
    with pytest.raises(SettingsError, match="others may read"):
        SharedSigning(str(secret / "signing.pem"), [])
