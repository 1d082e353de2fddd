"""A worker that runs flow runs in its own, already running process: see worker.py."""
