"""One pattern for all images: each service's Dockerfile is rendered from it, and the pattern keeps its rules."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from deploy_checks.paths import DEPLOY, ROOT
from deploy_checks.service_map import WITH_A_DATABASE

TEMPLATE: Final = DEPLOY / "docker" / "service.Dockerfile"
SHIPPED: Final = ("contracts", "efi", "kernel", "messaging", "storage", "telemetry", "web")
SERVICES: Final = ("efi-simulator", "gateway", *WITH_A_DATABASE)
TOOLS: Final = DEPLOY / "tools" / "Dockerfile"
_COPY: Final = "COPY --chown=${APP_OWNER}"
_TOOLS_EXTRA: Final = """COPY deploy/docker/prepare.py ./prepare/prepare.py
RUN site="$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \\
    && echo "/app/prepare" >> "$site/ibora.pth" \\
    && printf '#!/opt/venv/bin/python\\nimport sys\\n\\nfrom prepare import main\\n\\nsys.exit(main())\\n' \\
       > /opt/venv/bin/prepare \\
    && chmod 0755 /opt/venv/bin/prepare \\
    && install -d -o 10001 -g 10001 /var/lib/ibora/stack /var/lib/ibora/postgres
"""


def path_of(service: str) -> Path:
    return ROOT / "services" / service / "Dockerfile"


def all_files() -> dict[Path, str]:
    """What each Dockerfile must hold."""
    return {**{path_of(service): of_service(service) for service in SERVICES}, TOOLS: of_tools()}


def of_service(service: str) -> str:
    """A service's own: its source, its migrations, the libs."""
    module = service.replace("-", "_")
    folders = ["src", *(["migrations"] if service in WITH_A_DATABASE else [])]
    copies = [f"{_COPY} services/{service}/{folder} ./services/{service}/{folder}" for folder in folders]
    if service == "gateway":
        copies.append("COPY schemas/openapi/public.json ./schemas/openapi/public.json")
    ports = {"efi-simulator": "8443 8444", "payment": "8000 8443"}.get(service, "8000")
    environment = {
        "efi-simulator": " \\\n    SERVICE_HOST=0.0.0.0 SERVICE_PORT=8443 CONTROL_HOST=0.0.0.0 CONTROL_PORT=8444",
        "gateway": " \\\n    SERVICE_HOST=0.0.0.0 SERVICE_PORT=8000 OPENAPI_FILE=/app/schemas/openapi/public.json",
    }.get(service, " \\\n    SERVICE_HOST=0.0.0.0 SERVICE_PORT=8000")
    return _render(
        {
            "NAME": service,
            "COMMAND": service,
            "ENTRY": f"{module}.main",
            "FUNCTION": "cli",
            "ROOT": f"services/{service}",
            "LIBS": " ".join(SHIPPED),
            "COPY": "\n".join([*(_copy_lib(lib) for lib in SHIPPED), *copies]),
            "ENV": environment,
            "EXTRA": "",
            "PORTS": ports,
            "DEFAULT": "api" if service in {"efi-simulator", "gateway"} else "all",
        }
    )


def of_tools() -> str:
    """`ibora` for operators (dead letters, Efí) and `prepare` for development stacks."""
    text = _render(
        {
            "NAME": "tools",
            "COMMAND": "ibora",
            "ENTRY": "devstack.cli",
            "FUNCTION": "main",
            "ROOT": "libs/devstack",
            "LIBS": " ".join(SHIPPED),
            "COPY": "\n".join(_copy_lib(lib) for lib in (*SHIPPED, "devstack")),
            "ENV": "",
            "EXTRA": _TOOLS_EXTRA,
            "PORTS": "",
            "DEFAULT": "--help",
        }
    )
    kept = [
        line for line in text.splitlines() if not line.startswith(("EXPOSE", "HEALTHCHECK", "STOPSIGNAL"))
    ]
    return "\n".join(line for line in kept if "healthcheck.py" not in line) + "\n"


def _copy_lib(lib: str) -> str:
    return f"{_COPY} libs/{lib}/src ./libs/{lib}/src"


def _render(values: dict[str, str]) -> str:
    text = TEMPLATE.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def problems() -> Iterator[str]:
    """Files that are out of date, and rules that they break."""
    for path, wanted in all_files().items():
        name = str(path.relative_to(ROOT))
        if not path.exists() or path.read_text(encoding="utf-8") != wanted:
            yield f"{name} is out of date: python -m deploy_checks --write"
            continue
        yield from (f"{name}: {problem}" for problem in problems_of(wanted, health=path != TOOLS))
        yield from (f"{name}: {problem}" for problem in _sources_missing(wanted))


def problems_of(text: str, *, health: bool = True) -> Iterator[str]:
    """The rules: pinned base, hashes, a numeric user, no frontend image, nothing left to fill in."""
    rules = {
        r"^# syntax=": (False, "fetches a frontend image"),
        r"^ARG PYTHON_IMAGE=python:3\.\d+\.\d+-slim-\w+$": (True, "does not pin its base image"),
        r"^FROM (?!\$\{PYTHON_IMAGE\} AS )": (False, "builds from an image that is not its argument"),
        r"--require-hashes": (True, "installs without hashes"),
        r"^USER 10001:10001$": (True, "does not end as the user 10001"),
        r"PYTHONDONTWRITEBYTECODE=1": (True, "would write byte code into a read-only image"),
        r'^ENTRYPOINT \["': (True, "has no entry point of its own"),
        r"^LABEL org\.opencontainers\.image\.title=": (True, "has no labels"),
        r"@[A-Z]+@": (False, "has something left to fill in"),
        r"^ADD ": (False, "uses ADD"),
        r"^COPY (--\S+ )*\. ": (False, "copies the whole repository"),
        r"(PASSWORD|SECRET|TOKEN)=": (False, "holds a secret"),
    }
    for pattern, (wanted, problem) in rules.items():
        if bool(re.search(pattern, text, re.MULTILINE)) is not wanted:
            yield problem
    last_user = max((m.start() for m in re.finditer(r"^USER ", text, re.MULTILINE)), default=0)
    if any(match.start() > last_user for match in re.finditer(r"^RUN ", text, re.MULTILINE)):
        yield "does something after it has become its user"
    if health and "HEALTHCHECK" not in text:
        yield "has no health check"


def _sources_missing(text: str) -> Iterator[str]:
    """What is copied must exist, and .dockerignore must let it through."""
    allowed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    for source in re.findall(r"^COPY (?:--chown=\S+ )?(?!--)(\S+) ", text, re.MULTILINE):
        if not (ROOT / source).exists():
            yield f"copies {source}, which does not exist"
        if not any(Path(source).match(pattern) for pattern in allowed):
            yield f"copies {source}, which .dockerignore keeps out"


def write() -> None:
    """Render every Dockerfile anew."""
    for path, text in all_files().items():
        path.write_text(text, encoding="utf-8")
