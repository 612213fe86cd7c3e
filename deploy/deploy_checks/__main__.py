"""`python -m deploy_checks`: every check, a line each. `--write` renders what is rendered anew first."""

import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from deploy_checks import alerts, chart, compose, dockerfiles, tiltfile

Check = Callable[[], Iterable[str]]

CHECKS: Final[Mapping[str, Check]] = {
    "chart: helm lint --strict": chart.lint_problems,
    "chart: what must be refused": chart.refusal_problems,
    "chart: schemas, policies, edges, settings": chart.rendering_problems,
    "alerts: metrics and runbooks": alerts.problems,
    "deploy/k8s": chart.manifest_problems,
    "Dockerfiles": dockerfiles.problems,
    "docker-compose.yml": compose.problems,
    "Tiltfile": tiltfile.problems,
}


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given not in ([], ["--write"]):
        print("usage: python -m deploy_checks [--write]", file=sys.stderr)
        return 2
    if given:
        dockerfiles.write()
        chart.write()
    outcomes = [_passes(name, check) for name, check in CHECKS.items()]
    return 0 if all(outcomes) else 1


def _passes(name: str, check: Check) -> bool:
    started = time.monotonic()
    problems = list(dict.fromkeys(check()))
    print(f"{'✗' if problems else '✓'} {name:<44} {time.monotonic() - started:5.1f} s", flush=True)
    for problem in problems:
        print(f"    {problem}", flush=True)
    return not problems


if __name__ == "__main__":
    sys.exit(main())
