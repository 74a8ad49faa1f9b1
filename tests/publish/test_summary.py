"""The account at the end of a refresh."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console
from sqlalchemy import text

from publish import summary
from tests.publish.figures_by_hand import PERIOD, Figures

SINCE = datetime(2024, 6, 15, 1, 0, tzinfo=UTC)
BEFORE, DURING = SINCE - timedelta(hours=1), SINCE + timedelta(minutes=5)


class Ledger:
    """Writes loads and arrivals the way the loader does."""

    def __init__(self, figures: Figures) -> None:
        self.engine = figures.engine

    def load(self, source: str, *rows: int, refused: str | None = None, dataset: str = "dossier") -> int:
        """Rows: loaded, rejected, duplicate, held. Returns the load's id."""
        loaded, rejected, duplicate, held = rows
        with self.engine.begin() as connection:
            number = connection.execute(text("select count(*) from ops.load")).scalar_one()
            return connection.execute(
                text(
                    "insert into ops.load (load_id, source, dataset, digest, contract_version, status,"
                    " refused_reason, rows_read, rows_loaded, rows_rejected, rows_duplicate, rows_held,"
                    " byte_count, landing_uri, code_version, started_at, finished_at)"
                    " values (:load_id, :source, :dataset, :digest, '1', :status,"
                    " :refused, :read, :loaded, :rejected, :duplicate, :held, 1, 'x', 'x', now(), now())"
                    " returning load_id"
                ),
                {
                    "load_id": number,
                    "source": source,
                    "dataset": dataset,
                    "digest": hashlib.sha256(str(number).encode()).hexdigest(),
                    "status": "refused" if refused else "loaded",
                    "refused": refused,
                    "read": sum(rows),
                    "loaded": loaded,
                    "rejected": rejected,
                    "duplicate": duplicate,
                    "held": held,
                },
            ).scalar_one()

    def arrival(
        self,
        source: str,
        name: str,
        outcome: str,
        load_id: int | None = None,
        message: str | None = None,
        at: datetime = DURING,
    ) -> None:
        with self.engine.begin() as connection:
            connection.execute(
                text(
                    "insert into ops.arrival (source, dataset, name, load_id, outcome, message, arrived_at)"
                    " values (:source, 'dossier', :name, :load_id, :outcome, :message, :at)"
                ),
                {
                    "source": source,
                    "name": name,
                    "outcome": outcome,
                    "load_id": load_id,
                    "message": message,
                    "at": at,
                },
            )


@pytest.fixture
def ledger(figures: Figures) -> Ledger:
    return Ledger(figures)


@pytest.fixture
def busy(ledger: Ledger, figures: Figures) -> Figures:
    """A run with something of everything, after an earlier run."""
    figures.name_dataset("one_stop", "dossier", "Hồ sơ một cửa", "Phiên bản hồ sơ", "Văn phòng UBND tỉnh")
    earlier = ledger.load("one_stop", 7, 0, 0, 0)
    ledger.arrival("one_stop", "cu.csv", "new", earlier, at=BEFORE)
    ledger.arrival("one_stop", "hong-cu.csv", "failed", message="lỗi của lần trước", at=BEFORE)

    january = ledger.load("one_stop", 54_000, 300, 28, 0)
    ledger.arrival("one_stop", "thang-1.csv", "new", january)
    ledger.arrival("one_stop", "thang-1b.csv", "new", january)
    ledger.arrival("one_stop", "cu.csv", "repeat", earlier)
    ledger.arrival("one_stop", "thang-2.csv", "new", ledger.load("one_stop", 1_000, 0, 2, 0))
    refused = ledger.load("so-noi-vu", 0, 6, 0, 94, refused="6% số dòng bị loại")
    ledger.arrival("so-noi-vu", "bien-che_2024-06-14.xlsx", "refused", refused, message="không dùng")
    ledger.arrival("so-noi-vu", "\x1b[31mx.xlsx", "failed", message="không phải tệp [bold]Excel[/bold]")
    ledger.arrival("portal", "LayDVC", "skipped", message="chưa khai báo CCHC_PORTAL_URL")
    with figures.engine.begin() as connection:
        connection.execute(
            text(
                "insert into ops.load_warning"
                " values (:id, 'outside_range', 'ngaytiepnhan', 4, 9, 'Ngoài kỳ của tên tệp')"
            ),
            {"id": january},
        )
        connection.execute(
            text("insert into ops.load_warning values (:id, 'outside_range', '', 1, 1, 'cảnh báo cũ')"),
            {"id": earlier},
        )
    figures.set(3, "1.1", status="missing", value=None, display=None)
    figures.set(3, "1.2", status="stale")
    figures.set(3, "1.3", status="stale")
    figures.set(3, "1", status="stale")
    figures.warn("unknown_agency", "Cơ quan không có trong danh mục: H31.99", 1234)
    return figures


def _collect(figures: Figures, **rest: object) -> summary.RefreshSummary:
    with figures.engine.connect() as connection:
        return summary.collect(connection, PERIOD, SINCE, **rest)


def _shown(account: summary.RefreshSummary, *, terminal: bool) -> str:
    stream = io.StringIO()
    summary.show(account, Console(file=stream, force_terminal=terminal, width=140, color_system=None))
    return stream.getvalue()


def test_counts_of_this_run_only(busy: Figures) -> None:
    account = _collect(busy)

    assert account.sources == (
        summary.SourceCounts("one_stop", "Hồ sơ một cửa", 3, 1, 0, 0, 55_330, 55_000, 300, 30, 0),
        summary.SourceCounts("portal", "", 0, 0, 0, 1, 0, 0, 0, 0, 0),
        summary.SourceCounts("so-noi-vu", "", 0, 0, 2, 0, 100, 0, 6, 0, 94),
    )
    for source in account.sources:
        assert source.rows_read == (
            source.rows_loaded + source.rows_rejected + source.rows_duplicate + source.rows_held
        )


def test_what_did_not_load_is_named_with_its_reason(busy: Figures) -> None:
    assert _collect(busy).not_loaded == (
        summary.NotLoaded("so-noi-vu", "", "bien-che_2024-06-14.xlsx", "refused", "6% số dòng bị loại"),
        summary.NotLoaded("so-noi-vu", "", "\x1b[31mx.xlsx", "failed", "không phải tệp [bold]Excel[/bold]"),
        summary.NotLoaded("portal", "", "LayDVC", "skipped", "chưa khai báo CCHC_PORTAL_URL"),
    )


def test_indicators_are_counted_without_headings(busy: Figures) -> None:
    account = _collect(busy)
    figures_shown = sum(1 for row in busy.catalogue if row["kind"] != "heading")

    assert (account.stale_count, account.missing_count) == (2, 1)
    assert account.ok_count == figures_shown - 3


def test_warnings_of_the_loads_and_of_the_data(busy: Figures) -> None:
    account = _collect(busy)

    # once for both names that the load came under
    assert account.load_warnings == (
        summary.LoadWarning(
            "Văn phòng UBND tỉnh", "Phiên bản hồ sơ", "Ngoài kỳ của tên tệp", 4, ("thang-1.csv", "thang-1b.csv")
        ),
    )
    assert [(item.message, item.row_count) for item in account.data_warnings] == [
        ("Cơ quan không có trong danh mục: H31.99", 1234)
    ]


def test_a_log_gets_plain_lines(busy: Figures) -> None:
    account = _collect(busy, steps=[("nạp dữ liệu", 12.34), ("tính toán", 3.0)], files=["out/2024-H1/phu-luc.xlsx"])

    assert _shown(account, terminal=False).splitlines() == [
        "Kết quả cập nhật kỳ 2024-H1",
        "Nguồn Hồ sơ một cửa (one_stop): tệp 3 mới, 1 đã nạp trước; đọc 55.330 dòng, nạp 55.000, loại 300, trùng 30",
        "Nguồn portal: tệp 1 bỏ qua; đọc 0 dòng, nạp 0, loại 0, trùng 0",
        "Nguồn so-noi-vu: tệp 2 bị từ chối; đọc 100 dòng, nạp 0, loại 6, trùng 0, giữ lại 94",
        "Bị từ chối: so-noi-vu, bien-che_2024-06-14.xlsx: 6% số dòng bị loại",
        "Lỗi: so-noi-vu, ?[31mx.xlsx: không phải tệp [bold]Excel[/bold]",
        "Bỏ qua: portal, LayDVC: chưa khai báo CCHC_PORTAL_URL",
        f"Chỉ tiêu: {account.ok_count} đủ số liệu, 2 dùng số liệu cũ, 1 chưa có số liệu",
        "Cảnh báo khi nạp, Văn phòng UBND tỉnh (1):",
        "  thang-1.csv, thang-1b.csv · Phiên bản hồ sơ: Ngoài kỳ của tên tệp (4 dòng)",
        "Cảnh báo về dữ liệu (1):",
        "  Cơ quan không có trong danh mục: H31.99",
        "Bước nạp dữ liệu: 12,3 giây",
        "Bước tính toán: 3,0 giây",
        "Tệp kết quả: out/2024-H1/phu-luc.xlsx",
    ]


def test_a_terminal_gets_tables(busy: Figures) -> None:
    account = _collect(busy, steps=[("nạp dữ liệu", 12.34), ("tính toán", 3.0)])
    shown = _shown(account, terminal=True)

    row = next(line for line in shown.splitlines() if "one_stop" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "Hồ sơ một cửa (one_stop)", "3", "1", "0", "55.330", "55.000", "300", "30", "0",
    ]  # fmt: skip
    assert "15,3" in shown
    assert "Lỗi: so-noi-vu, ?[31mx.xlsx: không phải tệp [bold]Excel[/bold]" in shown
    assert "(one_stop): tệp" not in shown


def test_an_empty_run_says_so(figures: Figures) -> None:
    account = _collect(figures)

    assert not account.needs_a_person
    assert "Không có tệp hay lần lấy dữ liệu nào" in _shown(account, terminal=False)


def test_long_lists_of_warnings_are_cut_and_counted(figures: Figures) -> None:
    for number in range(25):
        figures.warn(f"w{number:02}", f"cảnh báo {number}", None)
    lines = _shown(_collect(figures), terminal=False).splitlines()

    assert sum(line.startswith("  cảnh báo") for line in lines) == 20
    assert "  còn 5 cảnh báo khác" in lines


def test_warnings_of_one_department_stand_together_by_file(figures: Figures, ledger: Ledger) -> None:
    for dataset, name, owner in (("bo_y", "Bộ Y", "Sở B"), ("bo_x", "Bộ X", "Sở A"), ("bo_z", "Bộ Z", "Sở A")):
        figures.name_dataset("s", dataset, "Nguồn S", name, owner)
        for number in range(5):
            load = ledger.load("s", 1, 0, 0, 0, dataset=dataset)
            ledger.arrival("s", f"{dataset}-{number}.xlsx", "new", load)
            figures.execute(
                "insert into ops.load_warning values (:load, 'code', 'cột', 2, 9, 'cùng một câu')", load=load
            )
    lines = _shown(_collect(figures), terminal=False).splitlines()

    assert [line for line in lines if "·" in line or line.startswith("Cảnh báo khi nạp")] == [
        "Cảnh báo khi nạp, Sở A (2):",
        "  bo_x-0.xlsx, bo_x-1.xlsx, bo_x-2.xlsx và 2 tệp khác · Bộ X: cùng một câu (10 dòng)",
        "  bo_z-0.xlsx, bo_z-1.xlsx, bo_z-2.xlsx và 2 tệp khác · Bộ Z: cùng một câu (10 dòng)",
        "Cảnh báo khi nạp, Sở B (1):",
        "  bo_y-0.xlsx, bo_y-1.xlsx, bo_y-2.xlsx và 2 tệp khác · Bộ Y: cùng một câu (10 dòng)",
    ]


@pytest.mark.parametrize(("outcome", "needed"), [("refused", True), ("failed", True), ("skipped", False)])
def test_a_person_is_needed_for_a_refusal_not_for_an_unset_feed(
    figures: Figures, ledger: Ledger, outcome: str, needed: bool
) -> None:
    ledger.arrival("portal", "LayDVC", outcome, message="lý do")

    assert _collect(figures).needs_a_person is needed


def test_a_person_is_needed_for_rejected_rows(figures: Figures, ledger: Ledger) -> None:
    ledger.arrival("one_stop", "a.csv", "new", ledger.load("one_stop", 10, 0, 0, 0))
    assert not _collect(figures).needs_a_person

    ledger.arrival("one_stop", "b.csv", "new", ledger.load("one_stop", 10, 1, 0, 0))
    assert _collect(figures).needs_a_person
