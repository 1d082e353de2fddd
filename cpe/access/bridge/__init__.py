"""Reads a modem's admin UI. Importing this package imports no browser driver."""
