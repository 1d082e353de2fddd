"""A port for a program of the machine that cannot take a free one by itself."""

from __future__ import annotations

import random
import socket

_BELOW_OUTGOING = range(20_000, 32_000)
"""Linux takes the ports of outgoing connections from 32768 on, and may take a free one of those
before the program does."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """One that nobody has on loopback, drawn, so that two who look at once get two."""
    while True:
        port = random.SystemRandom().choice(_BELOW_OUTGOING)
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
