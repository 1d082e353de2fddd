"""Host the embedded server until SIGTERM or SIGINT: `python -m deployments.server [PORT]`."""

from __future__ import annotations

import sys

from deployments.server.embedded import EmbeddedServer
from deployments.server.signals import stop_signals


def main(arguments: list[str]) -> int:
    """Serve; the first line on stdout ends with the API URL."""
    port = int(arguments[0]) if arguments else 4200
    with stop_signals() as asked:
        server = EmbeddedServer(port=port)
        server.start()
        try:
            sys.stdout.write(f"Prefect: {server.ui_url}  API: {server.api_url}\n")
            sys.stdout.flush()
            asked.wait()
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
