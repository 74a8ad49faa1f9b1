"""Progress: counts in Vietnamese, one line where nobody watches a terminal."""

from __future__ import annotations

import io
import re
import threading
import time
from collections.abc import Iterator

import pytest

from cchc import progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def shown() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    progress.show_on(stream)
    yield stream
    progress.show_on(None)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (999, "999"), (1000, "1.000"), (54148, "54.148"), (1234567, "1.234.567")]
)
def test_thousands_are_separated_by_points(number: int, text: str) -> None:
    assert progress.vietnamese(number) == text


def test_elsewhere_than_on_a_terminal_a_step_is_one_line(shown: io.StringIO) -> None:
    with progress.bar("Nạp hồ sơ", total=54148, unit="dòng") as bar:
        bar.advance(50000)
        bar.advance(4148)
        assert shown.getvalue() == ""
    assert re.fullmatch(r"  ✔ Nạp hồ sơ: 54\.148/54\.148 dòng · \d+,\d giây\n", shown.getvalue())


def test_a_total_may_be_unknown_or_learnt_on_the_way(shown: io.StringIO) -> None:
    with progress.bar("Đọc", unit="tệp") as bar:
        bar.advance()
        assert bar.counts == "1"
        bar.update(2, 3)
        assert bar.counts == "2/3"
        bar.update(3)
    assert "Đọc: 3/3 tệp · " in shown.getvalue()


def test_a_step_that_counts_nothing_shows_its_time_alone(shown: io.StringIO) -> None:
    with progress.bar("Khởi động"):
        pass
    assert re.fullmatch(r"  ✔ Khởi động: \d+,\d giây\n", shown.getvalue())


def test_nothing_to_do_is_still_counted(shown: io.StringIO) -> None:
    with progress.bar("Nạp", unit="tệp"):
        pass
    assert "Nạp: 0 tệp · " in shown.getvalue()


def test_a_step_that_failed_is_not_ticked_off(shown: io.StringIO) -> None:
    with pytest.raises(ValueError, match="lỗi"), progress.bar("Nạp"):
        raise ValueError("lỗi")
    assert "✔" not in shown.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["file", "terminal"])
def test_a_file_name_is_shown_as_it_is_called(stream: io.StringIO) -> None:
    progress.show_on(stream)
    try:
        with progress.bar("Nạp báo-cáo [bold]:smile:.csv " + "rất dài " * 20, total=1) as bar:
            bar.advance()
    finally:
        progress.show_on(None)
    last = stream.getvalue().splitlines()
    assert "Nạp báo-cáo [bold]:smile:.csv" in "\n".join(last)


def test_a_terminal_shows_counts_while_the_step_runs() -> None:
    stream = Terminal()
    progress.show_on(stream)
    try:
        with progress.bar("Nạp hồ sơ", total=2000, unit="dòng") as bar:
            bar.advance(1500)
            bar._display.refresh()
            assert "1.500/2.000 dòng" in stream.getvalue()
            assert "✔" not in stream.getvalue()
    finally:
        progress.show_on(None)
    assert "✔ Nạp hồ sơ: 1.500/2.000 dòng" in stream.getvalue()


class SlowBar(progress.Bar):
    """Gives other threads time between reading the count and writing it."""

    def update(self, completed: int, total: int | None = None) -> None:
        time.sleep(0.001)
        super().update(completed, total)


def test_no_count_is_lost_between_threads() -> None:
    bar = SlowBar("Lấy", 0)
    threads = [threading.Thread(target=lambda: [bar.advance() for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bar.completed == 80
