"""Sign-off on a real warehouse: what was sent stays, what changed since is told with its loads."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from cchc import warehouse
from publish.figures import FiguresUnfit
from publish.submission import Load, NothingToSubmit, Submission, freeze, lines, since_submission
from tests.publish.figures_by_hand import PERIOD, Figures

FILES = ("indicators.csv", "phu-luc.xlsx")
FIRST, SECOND = 101, 202


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "out" / PERIOD / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{name}, as published".encode())
    return tmp_path / "out"


@pytest.fixture
def published(figures: Figures, engine: Engine) -> Figures:
    """One load and one publication made of it."""
    _load(figures, FIRST, "ho-so_20231215_20240614.csv")
    _publish(figures, [FIRST])
    figures.execute("update reporting.rpt_indicator set inputs = cast(:inputs as jsonb)", inputs=_inputs(FIRST))
    figures.execute("grant usage on schema reporting to transformer")
    figures.execute("grant select on all tables in schema reporting to transformer")
    return figures


@pytest.fixture
def submit(published: Figures, out: Path, warehouse_url) -> Callable[..., Submission]:
    def go(by: str = "Nguyễn Văn A", note: str = "") -> Submission:
        with warehouse.engine_on(warehouse_url, "transformer") as engine:
            return freeze(engine, str(out), PERIOD, by, note, FILES)

    return go


def _inputs(*loads: int) -> str:
    return json.dumps({"load_ids": loads})


def _load(figures: Figures, load_id: int, name: str) -> None:
    figures.execute(
        "insert into ops.load (load_id, source, dataset, digest, contract_version, status, rows_read, rows_loaded, "
        "rows_rejected, rows_duplicate, byte_count, landing_uri, code_version, started_at, finished_at) values "
        "(:id, 'one_stop', 'dossier', :digest, '1.0.0', 'loaded', 1, 1, 0, 0, 1, 'x', 'v', now(), now())",
        id=load_id,
        digest=hashlib.sha256(name.encode()).hexdigest(),
    )
    figures.execute(
        "insert into ops.arrival (source, dataset, name, load_id, outcome) "
        "values ('one_stop', 'dossier', :name, :id, 'new')",
        name=name,
        id=load_id,
    )


def _publish(figures: Figures, load_ids: list[int], code_version: str = "v1") -> None:
    figures.execute(
        "insert into ops.publication (code_version, load_ids, report_requests, test_count, warning_count) "
        "values (:version, :ids, '{}', 1, 0)",
        version=code_version,
        ids=load_ids,
    )


def _since(engine: Engine):
    with engine.connect() as connection:
        return since_submission(connection, PERIOD)


def test_the_figures_and_the_files_are_kept_with_who_and_when(submit, out: Path, query) -> None:
    submission = submit()
    assert (submission.version, submission.submitted_by) == (1, "Nguyễn Văn A")
    for name, path in zip(FILES, submission.files, strict=True):
        assert Path(path) == out / PERIOD / "da-gui" / "v1" / name
        assert Path(path).read_bytes() == (out / PERIOD / name).read_bytes()
    [(digests, publication)] = query("select file_digests, publication_id from ops.submission")
    assert digests == {name: hashlib.sha256((out / PERIOD / name).read_bytes()).hexdigest() for name in FILES}
    assert query("select publication_id from ops.publication") == [(publication,)]
    [(kept,)] = query("select count(*) from ops.submitted_figure")
    [(shown,)] = query("select count(*) from reporting.rpt_indicator where kind <> 'heading'")
    [(written,)] = query("select count(*) from reporting.rpt_narrative")
    assert kept == shown + written
    assert min(shown, written) > 100


def test_nothing_changed_says_so_and_makes_no_version(submit, engine: Engine) -> None:
    submit()
    assert _since(engine).changes == ()
    with pytest.raises(NothingToSubmit, match="không khác phiên bản 1"):
        submit()


def test_what_changed_since_is_told_with_the_load_that_made_it(submit, published: Figures, engine: Engine) -> None:
    submit()
    _load(published, SECOND, "ho-so_20240601_20240614.csv")
    _publish(published, [FIRST, SECOND], code_version="v2")
    published.set(3, "3.1.1", value=54_330, display="54.330", inputs=None)
    published.execute(
        "update reporting.rpt_indicator set inputs = cast(:inputs as jsonb) where form_no = 3 and code = '3.1.1'",
        inputs=_inputs(FIRST, SECOND),
    )
    since = _since(engine)
    [change] = since.changes
    assert (change.key, change.before, change.after) == ("3/3.1.1", "54.328", "54.330")
    assert [(load.name, load.source) for load in change.loads] == [("ho-so_20240601_20240614.csv", "one_stop")]
    assert isinstance(change.loads[0], Load)
    assert (since.code_changed, since.as_of_moved_to) == (True, None)
    first, second, third = lines(since)
    assert re.fullmatch(r"So với phiên bản 1 đã chốt ngày [0-9/]{10} \(Nguyễn Văn A\): 1 số liệu thay đổi", first)
    assert "phần mềm" in second
    assert re.search(r"3/3\.1\.1 .*: 54\.328 → 54\.330, do: ho-so_20240601_20240614\.csv \(one_stop, nạp ", third)


def test_a_correction_is_the_next_version_and_the_first_one_stays(submit, published: Figures, query, out: Path) -> None:
    submit()
    published.set(3, "3.1.1", value=54_330, display="54.330")
    (out / PERIOD / "phu-luc.xlsx").write_bytes(b"corrected")
    second = submit("Trần Thị B", "bổ sung hai hồ sơ")
    assert second.version == 2
    assert (out / PERIOD / "da-gui" / "v1" / "phu-luc.xlsx").read_bytes() == b"phu-luc.xlsx, as published"
    rows = query(
        "select version, submitted_by, value::int from ops.submission join ops.submitted_figure using (submission_id) "
        "where figure_key = '3/3.1.1' order by version"
    )
    assert rows == [(1, "Nguyễn Văn A", 54_328), (2, "Trần Thị B", 54_330)]


def test_a_missing_figure_differs_from_a_zero(submit, published: Figures, engine: Engine) -> None:
    submit()
    published.set(3, "3.1.1", value=None, display=None, status="missing")
    [change] = _since(engine).changes
    assert (change.before, change.after) == ("54.328", "chưa có số liệu")


@pytest.mark.parametrize(
    "statement",
    [
        "update ops.submitted_figure set value = 0",
        "delete from ops.submitted_figure",
        "truncate ops.submitted_figure",
        "update ops.submission set submitted_by = 'X'",
        "delete from ops.submission",
        "truncate ops.submission cascade",
    ],
)
def test_nobody_changes_what_was_sent_not_even_the_owner(submit, engine: Engine, statement: str) -> None:
    submit()
    with pytest.raises((IntegrityError, DBAPIError), match="không được sửa hay xóa"), engine.begin() as connection:
        connection.execute(text(statement))


def test_a_version_whose_files_are_not_there_is_none(submit, out: Path, query) -> None:
    (out / PERIOD / "phu-luc.xlsx").unlink()
    with pytest.raises(NothingToSubmit, match=r"phu-luc\.xlsx"):
        submit()
    assert query("select count(*) from ops.submission") == [(0,)]


def test_a_version_whose_files_cannot_be_kept_is_none(submit, out: Path, query) -> None:
    (out / PERIOD / "da-gui").write_text("a file where the folder should be")
    with pytest.raises(OSError):
        submit()
    assert query("select count(*) from ops.submission") == [(0,)]


def test_a_period_that_is_not_published_cannot_be_frozen(figures: Figures, engine: Engine, out: Path) -> None:
    figures.execute("delete from reporting.rpt_indicator")
    with pytest.raises(FiguresUnfit, match="cchc refresh"):
        freeze(engine, str(out), PERIOD, "A", "", FILES)
    assert _since(engine) is None
