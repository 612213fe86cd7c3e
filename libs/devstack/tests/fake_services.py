"""A tiny service for tests of the supervisor: answers 200 everywhere, migrates by doing nothing."""

import sys

from devstack.manifest import Service

_SERVER = """
import http.server, os

class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ.get("GREETING", "").encode())

http.server.HTTPServer(("127.0.0.1", int(os.environ["SERVICE_PORT"])), Answer).serve_forever()
"""

FAKE = Service(name="identity", kafka=False)
"""Has a database; the name is a real one, because the gateway's environment names it."""

DOOR = Service(name="gateway", database=False, kafka=False)


def fake_command(_service: Service, verb: str) -> list[str]:
    return [sys.executable, "-c", "" if verb == "migrate" else _SERVER]


def broken_command(_service: Service, verb: str) -> list[str]:
    """A service whose migration fails."""
    return [
        sys.executable,
        "-c",
        "raise SystemExit('the migration is broken')" if verb == "migrate" else _SERVER,
    ]
