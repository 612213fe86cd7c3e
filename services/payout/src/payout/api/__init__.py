"""HTTP: request, list, detail."""
