"""What a feed's reader hands over to be landed and loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class LandedPull:
    """One dataset of a pull. Content and failure together: what came is good, but it is not all."""

    dataset: str
    service: str
    content: bytes | None = None
    failure: str | None = None
    rows: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)
    unknown_fields: Mapping[str, int] = field(default_factory=dict)
    covers: tuple[date, date] | None = None

    @property
    def skipped(self) -> bool:
        """Nothing changed, so nothing was asked."""
        return self.content is None and self.failure is None
