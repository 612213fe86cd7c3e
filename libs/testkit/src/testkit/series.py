"""What Prometheus sees of a process that has only just begun, and which counters the alerts look at."""

import re
import subprocess
import sys
from types import ModuleType

from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from devstack.folders import ROOT

Series = tuple[str, tuple[tuple[str, str], ...]]
ALERTS = ROOT / "deploy/helm/ibora/templates/monitoring.yaml"


def series(name: str, **labels: str) -> Series:
    """A series by its name and labels."""
    return name, tuple(sorted(labels.items()))


def fresh_series(module: str) -> dict[Series, float]:
    """Every series of a new process that has imported `module` and done nothing else."""
    show = f"import {module}, prometheus_client as p; print(p.generate_latest().decode())"
    begun = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True)
    samples = (s for family in text_string_to_metric_families(begun.stdout) for s in family.samples)
    return {series(sample.name, **sample.labels): sample.value for sample in samples}


def alerted_counters(metrics: ModuleType) -> set[str]:
    """The counters of that module that an alert looks at the growth of."""
    alerted = set(re.findall(r"(?:increase|rate)\((\w+)", ALERTS.read_text(encoding="utf-8")))
    own = {f"{one._name}_total" for one in vars(metrics).values() if isinstance(one, Counter)}
    return alerted & own
