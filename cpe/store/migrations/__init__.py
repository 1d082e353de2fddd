"""Alembic's folder: `env.py` and the revisions, shipped in the package."""
