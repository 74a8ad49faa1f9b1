"""Publishing: every file, whole or not at all, to a folder or a store."""

from __future__ import annotations

import io
import os
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from openpyxl import load_workbook

from cchc.settings import Settings
from publish import output
from publish.figures import FiguresUnfit
from publish.report import publish_report
from tests.publish.figures_by_hand import PERIOD, Figures

FIRST = datetime(2024, 6, 15, 3, 30, tzinfo=UTC)
FILES = ("indicators.csv", "phu-luc.xlsx", "bao-cao.docx", "tinh-hinh-gui.xlsx")
LATER = datetime(2024, 6, 16, 3, 30, tzinfo=UTC)


def _publish(figures: Figures, out: str | Path, generated_at: datetime = FIRST) -> list[str]:
    settings = Settings(province_name="tỉnh Hưng Yên")
    return publish_report(figures.engine, settings, PERIOD, str(out), False, generated_at=generated_at)


def test_every_file_in_the_folder_of_the_period(figures: Figures, tmp_path: Path) -> None:
    paths = _publish(figures, tmp_path / "out")

    folder = tmp_path / "out" / PERIOD
    assert paths == [str(folder / name) for name in FILES]
    assert sorted(os.listdir(folder)) == sorted(FILES)
    assert (folder / "indicators.csv").read_bytes().count(b"\n") == 145
    sheet = load_workbook(folder / "phu-luc.xlsx")["Biểu 1"]
    assert (sheet["A1"].value, sheet["A2"].value) == ("ỦY BAN NHÂN DÂN", "TỈNH HƯNG YÊN")


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_a_url_works_as_well(figures: Figures, tmp_path: Path, scheme: str) -> None:
    paths = _publish(figures, f"{scheme}://{tmp_path}/out/")

    assert [path.rsplit("/", 2)[1:] for path in paths] == [[PERIOD, name] for name in FILES]
    for path in paths:
        assert path.startswith(f"{scheme}://")
        with fsspec.open(path) as file:
            assert file.read()


def test_the_same_figures_leave_the_files_as_they_were(figures: Figures, tmp_path: Path) -> None:
    before = [Path(path).read_bytes() for path in _publish(figures, tmp_path)]
    again = [Path(path).read_bytes() for path in _publish(figures, tmp_path, LATER)]

    assert again == before


def test_other_figures_carry_the_new_moment(figures: Figures, tmp_path: Path) -> None:
    _publish(figures, tmp_path)
    figures.set(3, "3.1.2", value=54149, display="54.149")
    _, path, *_ = _publish(figures, tmp_path, LATER)

    assert load_workbook(path)["Biểu 3"].oddFooter.right.text == "Lập lúc 10:30 ngày 16/6/2024"


def test_an_appendix_changed_by_hand_is_written_anew(figures: Figures, tmp_path: Path) -> None:
    _, path, *_ = _publish(figures, tmp_path)
    book = load_workbook(path)
    book["Biểu 1"]["B14"] = "sửa tay"
    book.save(path)
    _, path, *_ = _publish(figures, tmp_path, LATER)

    assert load_workbook(path)["Biểu 1"]["B14"].value != "sửa tay"


def test_unfit_figures_change_no_file(figures: Figures, tmp_path: Path) -> None:
    before = [path.read_bytes() for path in sorted(map(Path, _publish(figures, tmp_path)))]
    figures.set(1, "1", value=7, display="7")
    figures.set(3, "3.1.2", display="54.149")

    with pytest.raises(FiguresUnfit):
        _publish(figures, tmp_path, LATER)
    assert [path.read_bytes() for path in sorted((tmp_path / PERIOD).iterdir())] == before


def test_an_interrupted_write_leaves_the_old_file_and_no_rubbish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "indicators.csv"
    output.write(str(target), b"old")

    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        output.write(str(target), b"new")

    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["indicators.csv"]


def test_a_file_server_gets_a_whole_file_under_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a filesystem that is neither this machine's nor an object store, as sftp is
    server = DirFileSystem(path=str(tmp_path), fs=fsspec.filesystem("file"))
    monkeypatch.setattr(output, "url_to_fs", lambda url: (server, url.removeprefix("sftp://")))
    output.write("sftp://out/indicators.csv", b"old")
    output.write("sftp://out/indicators.csv", b"new")

    assert (tmp_path / "out" / "indicators.csv").read_bytes() == b"new"
    assert os.listdir(tmp_path / "out") == ["indicators.csv"]


def test_files_are_readable_for_others(tmp_path: Path) -> None:
    previous = os.umask(0o022)
    try:
        output.write(str(tmp_path / "x.csv"), b"x")
    finally:
        os.umask(previous)

    assert (tmp_path / "x.csv").stat().st_mode & 0o777 == 0o644


def test_nothing_there_yet(tmp_path: Path) -> None:
    assert output.read_if_there(str(tmp_path / "x")) is None
    output.write(str(tmp_path / "x"), b"1")
    assert io.BytesIO(output.read_if_there(str(tmp_path / "x"))).read() == b"1"
