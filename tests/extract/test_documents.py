"""What is generated from contracts stands in the repository as generated."""

from __future__ import annotations

from pathlib import Path

import pytest

from cchc.settings import PROJECT_ROOT
from extract import documents


@pytest.mark.parametrize("path", documents.documents(), ids=lambda path: path.name)
def test_generated_file_is_as_its_contract_says(path: Path) -> None:
    expected = documents.documents()[path]
    assert path.read_text(encoding="utf-8") == expected, f"run `cchc contracts`: {path} differs from the contract"


def test_personal_data_has_no_column_in_raw_and_says_so() -> None:
    content = documents.documents()[PROJECT_ROOT / "docs" / "sources.md"]
    assert "| ChuHoSo | Chủ hồ sơ | văn bản |  | không lưu (dữ liệu cá nhân) |" in content
    sources = documents.documents()[PROJECT_ROOT / "dbt/models/staging/one_stop/_one_stop__sources.yml"]
    assert "chuhoso" not in sources
    assert "applicant_key" in sources
