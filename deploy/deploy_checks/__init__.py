"""Checks what deploys Ibora, offline: chart, manifests, compose, Dockerfiles, Tiltfile (`python -m deploy_checks`)."""
