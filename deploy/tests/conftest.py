"""Finds the checks and the scripts beside this folder, wherever pytest was started."""

import sys
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[1]
for folder in (DEPLOY, DEPLOY / "docker", DEPLOY / "tools"):
    sys.path.insert(0, str(folder))
