"""The hub: diagnoses, swaps and their history over HTTP, for the ops app and for people."""
