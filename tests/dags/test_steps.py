"""What the tasks do, on a real warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest

from cchc.settings import Settings, get_settings
from dags import steps


@pytest.fixture(autouse=True)
def environment(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """The settings of the test, where the steps look for them."""
    for name in ("var", "inbox", "landing", "out"):
        monkeypatch.setenv(f"CCHC_{name.upper()}", str(getattr(settings, name)))
    for name in ("warehouse_url", "pseudonym_key"):
        monkeypatch.setenv(f"CCHC_{name.upper()}", getattr(settings, name).get_secret_value())
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def _put(settings: Settings, folder: str, name: str, content: str) -> None:
    path = Path(settings.inbox) / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def test_only_what_is_new_is_news(settings: Settings) -> None:
    assert steps.load("one_stop") is False
    _put(settings, "mot-cua", "ho-so_20240101_20240131.csv", "no,header\n")
    assert steps.load("one_stop") is True
    assert steps.load("one_stop") is False
    _put(settings, "mot-cua", "wrong-name.csv", "no,header\n")
    assert steps.load("one_stop") is True
    assert steps.load("one_stop") is False
    # a source that is not configured brings nothing
    assert steps.load("portal", "budget") is False


def test_a_source_that_failed_is_named_and_the_others_are_loaded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, query
) -> None:
    monkeypatch.setenv("CCHC_PORTAL_URL", "http://127.0.0.1:9")
    for name in ("USERNAME", "PASSWORD", "UNIT", "DSTCODE"):
        monkeypatch.setenv(f"CCHC_PORTAL_{name}", "x")
    get_settings.cache_clear()
    _put(settings, "mot-cua", "ho-so_20240101_20240131.csv", "no,header\n")
    with pytest.raises(steps.SourceFailed, match="portal · "):
        steps.load("portal", "one_stop")
    assert query("select outcome from ops.arrival where source = 'one_stop'") == [("refused",)]


def test_the_current_reports_are_asked_for_as_they_stand(settings: Settings, query) -> None:
    steps.prepare_current()
    (ended, ended_at, ended_cut), (due, due_at, _) = query(
        "select period_id, as_of_at, as_of_at < clock_timestamp() - interval '1 minute' "
        "from ops.report_request order by as_of_at"
    )
    assert ended != due
    assert ended_cut
    assert ended_at < due_at
