"""Run a module as a child that ends when its parent does:

    python -m deployments.server.leash [--nice N] MODULE …

The parent holds the other end of our standard input. However the parent ends, even by SIGKILL, the
kernel closes that end; we then ask ourselves to stop, and insist after a while.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

INSIST_AFTER_S = 32.0
"""As long as a warm worker has when it is asked to stop (deployments/server/worker.py)."""


def _watch() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(INSIST_AFTER_S)
    # Our whole group (the parent started us as its leader): flow runs are our children.
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> None:
    """Never returns by itself: the module does."""
    threading.Thread(target=_watch, name="leash", daemon=True).start()
    del sys.argv[0]
    if sys.argv[0] == "--nice":
        os.nice(int(sys.argv[1]))
        del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
