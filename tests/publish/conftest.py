"""What the publishing tests share: reporting tables made by hand in a migrated warehouse."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.publish.figures_by_hand import PERIOD, Figures


@pytest.fixture
def figures(engine: Engine) -> Figures:
    """The first half of 2024, every indicator present; a test spoils what it needs to."""
    figures = Figures(engine)
    figures.create_tables()
    figures.fill(PERIOD)
    return figures
