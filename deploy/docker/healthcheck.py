"""The container's own question: does /health answer 200? Nothing but the standard library."""

import http.client
import os
import sys


def healthy(port: int, *, timeout_s: float = 2.5) -> bool:
    """Whether the service on this port of this machine says that it is alive and moving."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    # The simulator's API speaks mTLS; its control door is the one to ask.
    sys.exit(0 if healthy(int(os.environ.get("CONTROL_PORT") or os.environ["SERVICE_PORT"])) else 1)
