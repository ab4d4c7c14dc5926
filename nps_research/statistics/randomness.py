"""Where random numbers start."""

from __future__ import annotations

__all__ = ["DEFAULT_SEED"]


DEFAULT_SEED = 20261122
