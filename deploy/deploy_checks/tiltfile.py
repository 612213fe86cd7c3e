"""The Tiltfile, executed by a real Starlark interpreter with stand-ins for Tilt's own functions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import starlark

from deploy_checks.dockerfiles import SERVICES
from deploy_checks.paths import ROOT

FILE: Final = ROOT / "Tiltfile"
BUILTINS: Final = (
    "docker_build",
    "k8s_yaml",
    "k8s_resource",
    "helm",
    "local_resource",
    "sync",
    "allow_k8s_contexts",
    "update_settings",
    "blob",
    "read_file",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a builtin."""

    name: str
    positional: tuple[Any, ...]
    named: dict[str, Any]

    @property
    def subject(self) -> str:
        return str(self.positional[0]) if self.positional else ""


@dataclass(slots=True)
class Recorder:
    """Stands in for Tilt and remembers what it was asked for."""

    calls: list[Call] = field(default_factory=list)

    def builtin(self, name: str) -> Callable[..., str]:
        def record(*positional: Any, **named: Any) -> str:
            self.calls.append(Call(name=name, positional=positional, named=named))
            return f"{name}({positional[0] if positional else ''})"

        return record


def execute(source: str) -> list[Call]:
    """Run a Tiltfile. Raises starlark.StarlarkError for what Tilt would refuse to read."""
    recorder = Recorder()
    module = starlark.Module()
    for name in BUILTINS:
        module.add_callable(name, recorder.builtin(name))
    module["TRIGGER_MODE_MANUAL"] = 1
    extension = starlark.Module()
    extension.add_callable("docker_build_with_restart", recorder.builtin("docker_build"))
    frozen = extension.freeze()
    # Tilt too allows statements at the top of a file.
    program = starlark.parse("Tiltfile", source, dialect=starlark.Dialect.extended())
    starlark.eval(module, program, starlark.Globals.standard(), starlark.FileLoader(lambda _name: frozen))
    return recorder.calls


def problems(source: str | None = None) -> Iterator[str]:
    """A service without an image, a live update or a group; a file that does not exist; no buttons."""
    try:
        calls = execute(FILE.read_text(encoding="utf-8") if source is None else source)
    except starlark.StarlarkError as error:
        yield str(error)
        return
    builds = {call.subject: call for call in calls if call.name == "docker_build"}
    for name in (*(f"ibora/{service}" for service in SERVICES), "ibora/tools"):
        if name not in builds:
            yield f"does not build {name}"
    for name, build in builds.items():
        if not (ROOT / build.named["dockerfile"]).exists():
            yield f"{name}: {build.named['dockerfile']} does not exist"
        if name != "ibora/tools" and not build.named.get("live_update"):
            yield f"{name}: every change rebuilds the image"
    yield from _resources(calls)


def _resources(calls: list[Call]) -> Iterator[str]:
    named = [call for call in calls if call.name == "k8s_resource"]
    resources = {call.subject or str(call.named["new_name"]): call for call in named}
    for call in resources.values():
        if not call.named.get("labels"):
            yield f"{call.subject} is in no group"
    for service in SERVICES:
        name = service if service == "efi-simulator" else f"{service}-api"
        if name not in resources:
            yield f"{name} is in no group"
    buttons = {call.subject: call for call in calls if call.name == "local_resource"}
    yield from (f"has no button {name}" for name in ("seed", "ride-demo") if name not in buttons)
    known = {*resources, *buttons}
    for call in (*resources.values(), *buttons.values()):
        for other in call.named.get("resource_deps", []):
            if other not in known:
                yield f"{call.subject} waits for {other}, which is not there"
    for call in calls:
        if call.name == "sync" and not (ROOT / call.subject).exists():
            yield f"syncs {call.subject}, which does not exist"
