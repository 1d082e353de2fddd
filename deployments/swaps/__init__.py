"""Swaps as people ask for them: by command or through the hub."""
