"""Our own database: diagnoses, what they measured, who the boxes are."""

from cpe.store.repository import Store

__all__ = ["Store"]
