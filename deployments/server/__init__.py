"""Prefect's server, a stock worker and the deployments, hosted by our own launcher."""
