"""What the network policies amount to, compared with the service map: not one edge less, not one more."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from deploy_checks import workloads
from deploy_checks.rendering import Document
from deploy_checks.service_map import HTTP, SERVICES, WEBHOOK, Edge, expected_edges

Labels = Mapping[str, str]
NAME: Final = "app.kubernetes.io/name"
COMPONENT: Final = "app.kubernetes.io/component"
_SERVERS: Final = ("POSTGRES", "KAFKA", "VALKEY", "EFI")


@dataclass(frozen=True, slots=True)
class Node:
    """A kind of pod: `service/component`, with its labels."""

    name: str
    labels: tuple[tuple[str, str], ...]

    @property
    def mapping(self) -> dict[str, str]:
        return dict(self.labels)


@dataclass(frozen=True, slots=True)
class Outside:
    """How a rendering's values describe what is not ours."""

    peers: Mapping[str, Any]
    extra: Sequence[Any] = ()


def nodes(documents: Sequence[Document]) -> list[Node]:
    """Every kind of pod in a rendering."""
    found = []
    for document, _ in workloads.pods(documents):
        carrier = document if document["kind"] == "Pod" else document["spec"]["template"]
        labels = carrier["metadata"]["labels"]
        found.append(Node(f"{labels[NAME]}/{labels[COMPONENT]}", tuple(sorted(labels.items()))))
    return found


def problems_of(documents: Sequence[Document], outside: Outside) -> list[str]:
    """A missing default deny, and every edge that is missing or too many."""
    policies = _policies(documents, outside)
    found = [] if _denies_by_default(policies) else ["no policy denies everything by default"]
    peers = outside.peers
    ports = {name: peers[name]["port"] for name in ("postgres", "kafka", "valkey", "efi")}
    wanted = expected_edges(**ports)
    allowed = edges(documents, outside)
    found += [f"the map has {_say(edge)}, the policies do not" for edge in sorted(wanted - allowed)]
    return found + [f"the policies allow {_say(edge)}, the map does not" for edge in sorted(allowed - wanted)]


def edges(documents: Sequence[Document], outside: Outside) -> set[Edge]:
    """Every edge that is really open: between our pods both ends must agree."""
    policies = _policies(documents, outside)
    known = nodes(documents)
    out = {edge for node in known for edge in _open(policies, node, known, outside, way="egress")}
    into = {edge for node in known for edge in _open(policies, node, known, outside, way="ingress")}
    names = {node.name for node in known}
    both = {edge for edge in out & into if edge[0] in names and edge[1] in names}
    return both | {edge for edge in out | into if edge[0] not in names or edge[1] not in names}


def _policies(documents: Sequence[Document], outside: Outside) -> list[Mapping[str, Any]]:
    """Without the one that the values themselves ask for."""
    return [
        document["spec"]
        for document in documents
        if document["kind"] == "NetworkPolicy"
        if not (outside.extra and document["spec"].get("egress") == outside.extra)
    ]


def _say(edge: Edge) -> str:
    return f"{edge[0]} → {edge[1]}:{edge[2]}"


def _denies_by_default(policies: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        policy["podSelector"] == {}
        and set(policy["policyTypes"]) == {"Ingress", "Egress"}
        and not policy.get("ingress")
        and not policy.get("egress")
        for policy in policies
    )


def _open(
    policies: Sequence[Mapping[str, Any]], node: Node, known: Sequence[Node], outside: Outside, *, way: str
) -> Iterator[Edge]:
    for policy in policies:
        if not _selects(policy["podSelector"], node.mapping):
            continue
        for rule in policy.get(way, []):
            for other, port in _other_ends(rule, known, outside, way=way):
                yield (node.name, other, port) if way == "egress" else (other, node.name, port)


def _other_ends(
    rule: Mapping[str, Any], known: Sequence[Node], outside: Outside, *, way: str
) -> Iterator[tuple[str, int]]:
    """The names and ports of a rule's other end. A rule without peers or ports is open to all."""
    ports = {entry["port"] for entry in rule.get("ports", [{"port": 0}])}
    peers = rule.get("to" if way == "egress" else "from")
    inside = [peer for peer in peers or [] if set(peer) == {"podSelector"}]
    rest = [peer for peer in peers or [] if peer not in inside]
    for port in ports:
        for peer in inside:
            yield from ((node.name, port) for node in known if _selects(peer["podSelector"], node.mapping))
        if rest or not peers:
            names = _outsiders(rest, outside, way=way, port=port)
            yield from ((name, port) for name in names or ["EVERYBODY"])


def _outsiders(peers: Sequence[Mapping[str, Any]], outside: Outside, *, way: str, port: int) -> list[str]:
    """Whose description this is. On a laptop several are one namespace: the port tells them apart."""
    there = outside.peers
    if way == "egress":
        known = {name: (there[name.lower()]["to"], there[name.lower()]["port"]) for name in _SERVERS}
        known["DNS"] = (there["dns"], 53)
    else:
        known = {name: (there[name.lower()], HTTP) for name in ("PROMETHEUS", "INGRESS")}
        known["EFI"] = (there["efi"]["from"], WEBHOOK)
    return [name for name, described in known.items() if described == (list(peers), port)]


def _selects(selector: Mapping[str, Any], labels: Labels) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(_fits(expression, labels) for expression in selector.get("matchExpressions", []))


def _fits(expression: Mapping[str, Any], labels: Labels) -> bool:
    assert expression["operator"] == "In", "the chart uses no other operator"
    return labels.get(expression["key"]) in expression["values"]


def unknown_services(documents: Sequence[Document]) -> list[str]:
    """A service in the chart that the map does not know, or the other way round."""
    rendered = {node.mapping[NAME] for node in nodes(documents)}
    return [f"{name} is in the chart or in the map, but not in both" for name in rendered ^ set(SERVICES)]
