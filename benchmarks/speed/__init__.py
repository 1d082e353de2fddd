"""The parts of `benchmarks/diagnose.py`, one comparison a module."""
