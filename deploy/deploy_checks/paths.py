"""Where things are."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"
CHART: Final = DEPLOY / "helm" / "ibora"
MANIFESTS: Final = DEPLOY / "k8s"
KUBERNETES: Final = "1.34"
"""The version whose schemas everything must satisfy."""
