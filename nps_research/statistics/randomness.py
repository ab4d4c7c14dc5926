"""Where random numbers start."""

from __future__ import annotations

DEFAULT_SEED = 20261122
