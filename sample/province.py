"""A stand-in province: exports, workbooks, portal and budget content and the true answers, from a seed.

The same seed, scale and period give the same bytes. The data is synthetic; its totals are those that were
published for the first half of 2024, whatever the seed and the period.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cchc.periods import ReportingPeriod
from sample.agencies import portal_agencies
from sample.budget_data import budget_documents, count_budget
from sample.departments import procedures_by_agency
from sample.dossiers import Window, build_dossiers
from sample.expected import (
    MEASURES,
    count_dossiers,
    count_dossiers_text,
    count_portal,
    count_portal_text,
    expected_rows,
)
from sample.exports import ExportWriter, WrittenExport, plan_exports
from sample.procedures import build_catalogue, portal_documents
from sample.targets import LevelTarget, PortalTarget, level_targets, portal_target
from sample.workbooks import AS_SENT, MESSINESS, write_workbooks

GENERATOR_VERSION = "4"
MANIFEST = "manifest.json"
STATEMENT = (
    "Dữ liệu giả lập do máy sinh ra, không có người, hồ sơ hay doanh nghiệp nào là thật; "
    "chỉ các số tổng được chỉnh cho khớp với "
    "báo cáo cải cách hành chính 6 tháng đầu năm 2024 đã công bố của tỉnh Hưng Yên. "
    "(Synthetic data; only its totals are calibrated to the published report of the first half of 2024.)"
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ProvinceSummary:
    """What was written, or found already there."""

    folder: Path
    period_id: str
    seed: int
    scale: float
    rows: dict[str, int]
    faulty_rows: dict[str, int]
    dossiers: int
    versions: int
    expected: dict[str, str]
    written: bool

    @property
    def row_count(self) -> int:
        """Records in all exports, repeated and faulty ones included."""
        return sum(rows for name, rows in self.rows.items() if name.startswith("inbox/mot-cua/"))


def write_province(
    folder: Path,
    period_id: str = "2024-H1",
    seed: int = 2024,
    scale: float = 1.0,
    progress: Progress | None = None,
    messiness: int = AS_SENT,
) -> ProvinceSummary:
    """Write the province into `folder`, unless the same one is already there in full.

    `scale` multiplies the number of dossiers (1.0: the published totals); under 0.05 the portal is a tenth of
    its size. `messiness` is that of the workbooks: 0 tidy, 1 as departments send them, 2 the worst that may come.
    """
    if messiness not in MESSINESS:
        raise ValueError(f"messiness {messiness} is none of {MESSINESS}")
    folder = Path(folder)
    identity = {
        "seed": int(seed),
        "scale": float(scale),
        "period": ReportingPeriod.parse(period_id).id,
        "messiness": int(messiness),
        "generator_version": GENERATOR_VERSION,
    }
    old = _read_manifest(folder)
    if old is not None and _is_complete(folder, old, identity):
        return _summary(folder, old, written=False)
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".dang-ghi-", dir=folder))
    try:
        manifest = _generate(staging, identity, progress or _silent)
        _put_in_place(staging, folder, old, manifest)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return _summary(folder, manifest, written=True)


def _silent(description: str, done: int, total: int) -> None:
    """No progress wanted."""


def _generate(folder: Path, identity: dict[str, Any], progress: Progress) -> dict[str, Any]:
    period = ReportingPeriod.parse(identity["period"])
    seed, scale = identity["seed"], identity["scale"]
    targets, portal = level_targets(scale), portal_target(scale)
    plan = plan_exports(period)
    steps = len(plan) + 4

    # Separate streams: the portal is the same whatever the number of dossiers.
    def stream(purpose: str) -> np.random.Generator:
        digest = hashlib.sha256(f"{seed}|{period.id}|{purpose}".encode()).digest()
        return np.random.default_rng(int.from_bytes(digest[:16], "big"))

    progress("Danh mục thủ tục và dịch vụ công", 0, steps)
    catalogue = build_catalogue(period, portal, stream("portal"))
    documents = {"agencies": portal_agencies(), **portal_documents(catalogue, period, stream("documents"))}
    progress("Hồ sơ một cửa", 1, steps)
    window = Window.of(period, plan[0].from_on, max(export.to_on for export in plan))
    dossiers, versions = build_dossiers(window, catalogue, targets, scale, stream("dossiers"))
    progress("Đáp án", 2, steps)
    figures = count_portal(documents, period.from_on, period.to_on)
    from_dossiers, balance = count_dossiers(dossiers, versions, catalogue, documents, window)
    figures |= from_dossiers
    _check_calibration(figures, balance, targets, portal)

    rows: dict[str, int] = {}
    (folder / "portal").mkdir()
    for name, items in documents.items():
        _write_json(folder / "portal" / f"{name}.json", items)
        rows[f"portal/{name}.json"] = len(items)
    budget = budget_documents(period, seed, scale)
    budget_figures = count_budget(budget, period.to_on)
    (folder / "budget").mkdir()
    for name, items in budget.items():
        _write_json(folder / "budget" / f"{name}.json", items)
        rows[f"budget/{name}.json"] = len(items)
    # form 6 is in million dong
    figures["6/1.1"] = budget_figures["investment_plan"] // 1_000_000
    figures["6/1.2"] = budget_figures["investment_disbursed"] // 1_000_000
    inbox = folder / "inbox" / "mot-cua"
    inbox.mkdir(parents=True)
    writer = ExportWriter(plan, dossiers, versions, stream("exports"))
    written: list[WrittenExport] = []
    for position, export in enumerate(plan):
        progress(export.name, position + 3, steps)
        written.append(writer.write(position, inbox))
        rows[f"inbox/mot-cua/{export.name}"] = written[-1].rows
    answers = expected_rows(figures)
    _write_csv(folder / "expected.csv", ("form", "code", "value"), answers)
    _write_csv(
        folder / "expected_06a.csv",
        ("level", *MEASURES),
        [(level, *(counts[measure] for measure in MEASURES)) for level, counts in balance.items()],
    )
    rows["expected.csv"], rows["expected_06a.csv"] = len(answers), len(balance)
    progress("Bảng tính của các sở, ngành", steps - 1, steps)
    workbooks = write_workbooks(
        folder, period, seed, identity["messiness"], procedures_by_agency(documents["procedure_details"])
    )
    rows |= workbooks.rows
    progress("Xong", steps, steps)
    faulty: dict[str, int] = {}
    for export in written:
        for reason, count in export.faulty.items():
            faulty[reason] = faulty.get(reason, 0) + count
    return {
        "statement": STATEMENT,
        **identity,
        "from_on": period.from_on.isoformat(),
        "to_on": period.to_on.isoformat(),
        "dossiers": len(dossiers),
        "versions": len(versions),
        "rows": rows,
        "bytes": {name: (folder / name).stat().st_size for name in rows},
        "faulty_rows": dict(sorted(faulty.items())),
        "exports": [asdict(export) for export in written],
        **workbooks.entries,
        "text_figures": {
            **count_portal_text(documents, period.from_on, period.to_on),
            **count_dossiers_text(dossiers),
            **budget_figures,
            **{key: int(value) if value.isdigit() else value for key, value in workbooks.text.items()},
        },
        "expected": {f"{form}/{code}": value for form, code, value in answers},
    }


def _check_calibration(
    figures: dict[str, int],
    balance: dict[str, dict[str, int]],
    targets: dict[int, LevelTarget],
    portal: PortalTarget,
) -> None:
    """What was counted must be what was aimed at; anything else is a fault of this generator."""
    aimed = {
        "3/1.2": portal.published_new,
        "3/1.3": portal.published_abolished,
        "3/1.4": portal.in_force,
        "3/1.4.1": portal.procedures[0],
        "3/1.4.2": portal.procedures[1],
        "3/1.4.3": portal.procedures[2],
        "3/2.1": portal.joined_one_level,
        "3/2.2": portal.joined_across,
        "3/2.3": 0,
        "3/3.4.1": 1,
        "3/3.4.2": 0,
        "7/6.1.1": portal.services_full,
        "7/6.1.2": portal.services_full,
        "7/6.2.1": portal.active_services,
        "7/6.2.2": portal.active_services_online,
        "7/6.3.1": sum(target.full for target in targets.values()),
        "7/6.3.2": sum(target.full_online for target in targets.values()),
        "7/6.4.1": sum(target.partial for target in targets.values()),
        "7/6.4.2": sum(target.partial_online for target in targets.values()),
        "7/6.5.1": portal.with_fee,
        "7/6.5.2": portal.with_fee,
    }
    for level, target in targets.items():
        aimed[f"3/3.{level}.1"] = target.settled
        aimed[f"3/3.{level}.2"] = target.settled - target.late
    wrong = {key: (value, figures.get(key)) for key, value in aimed.items() if figures.get(key) != value}
    for level, target in targets.items():
        wanted = (
            *(target.received, target.carried_over, target.settled, target.early, target.on_day, target.late),
            *(target.withdrawn, target.paused, target.overdue, target.in_time),
        )
        counted = tuple(balance[str(level)][measure] for measure in MEASURES)
        if counted != wanted:
            wrong[f"06a/{level}"] = (wanted, counted)
    if wrong:
        raise RuntimeError(f"the stand-in province misses its totals (aimed at, counted): {wrong}")


# --- files -----------------------------------------------------


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


def _write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return manifest if isinstance(manifest, dict) else None


def _is_complete(folder: Path, manifest: dict[str, Any], identity: dict[str, Any]) -> bool:
    if any(manifest.get(key) != value for key, value in identity.items()):
        return False
    sizes: dict[str, int] = manifest.get("bytes", {})
    return bool(sizes) and all(
        (folder / name).is_file() and (folder / name).stat().st_size == size for name, size in sizes.items()
    )


def _put_in_place(staging: Path, folder: Path, old: dict[str, Any] | None, manifest: dict[str, Any]) -> None:
    """Move the files in, the manifest last; until then an interrupted run is told by an unfinished manifest.

    Only files that a manifest names are removed: the inbox may hold other sources.
    """
    former = set((old or {}).get("rows", {})) | set((old or {}).get("unfinished", []))
    _write_manifest(folder, {"unfinished": sorted(former | set(manifest["rows"]))})
    for name in former:
        path = (folder / name).resolve()
        if folder.resolve() in path.parents:
            path.unlink(missing_ok=True)
    for name in manifest["rows"]:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (staging / name).replace(target)
    _write_manifest(folder, manifest)


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    part = folder / f".{MANIFEST}.part"
    _write_json(part, manifest)
    part.replace(folder / MANIFEST)


def _summary(folder: Path, manifest: dict[str, Any], *, written: bool) -> ProvinceSummary:
    return ProvinceSummary(
        folder=folder,
        period_id=manifest["period"],
        seed=manifest["seed"],
        scale=manifest["scale"],
        rows=manifest["rows"],
        faulty_rows=manifest["faulty_rows"],
        dossiers=manifest["dossiers"],
        versions=manifest["versions"],
        expected=manifest["expected"],
        written=written,
    )
