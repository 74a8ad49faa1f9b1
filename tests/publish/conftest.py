"""What the publishing tests share: reporting tables made by hand in a migrated warehouse."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

# what feedback slips answer: workbooks and exports that the real loader has read
from tests.extract.conftest import exports  # noqa: F401
from tests.extract.test_workbooks import inbox, listed  # noqa: F401
from tests.publish.figures_by_hand import PERIOD, Figures


@pytest.fixture
def figures(engine: Engine) -> Figures:
    """The first half of 2024, every indicator present; a test spoils what it needs to."""
    figures = Figures(engine)
    figures.create_tables()
    figures.fill(PERIOD)
    figures.fill_narrative(PERIOD)
    return figures
