"""What is written from contracts: dbt's source entries and the page of sources. A test finds edits by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from cchc.settings import PROJECT_ROOT
from extract.contract import Column, Contract, contracts

_DBT_TYPES = {"timestamp": "timestamp without time zone"}
_TYPES = {
    "text": "văn bản",
    "smallint": "số nguyên",
    "integer": "số nguyên",
    "bigint": "số nguyên",
    "numeric": "số",
    "boolean": "có/không",
    "timestamp": "thời điểm",
    "date": "ngày",
    "jsonb": "danh sách",
}
_PROVENANCE = (
    ("_load_id", "bigint", "Lần nạp trong ops.load"),
    ("_row", "bigint", "Dòng trong tệp hoặc trong lần lấy"),
)


def documents(root: Path = PROJECT_ROOT) -> dict[Path, str]:
    """Every generated file and its content."""
    written = {
        root / "dbt" / "models" / "staging" / name / f"_{name}__sources.yml": dbt_sources(contract)
        for name, contract in contracts().items()
    }
    written[root / "docs" / "sources.md"] = page(contracts().values())
    return written


def write(root: Path = PROJECT_ROOT) -> list[Path]:
    """Write what differs and return which files those were."""
    changed = []
    for path, content in documents(root).items():
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
            changed.append(path)
    return changed


def dbt_sources(contract: Contract) -> str:
    """The source entry of a contract; freshness is asked of the ledger, which knows when a source was last heard."""
    tables = []
    for table in contract.tables:
        columns = [{"name": n, "description": d, "data_type": t} for n, t, d in _PROVENANCE]
        columns += [
            {"name": c.name, "description": c.title, "data_type": _DBT_TYPES.get(c.type, c.type)}
            for c in table.stored_columns
        ]
        tables.append(
            {
                "name": table.name,
                "identifier": table.physical_name,
                "description": f"{table.business_name}; mỗi dòng là {table.grain}.",
                "config": {
                    "freshness": {
                        "warn_after": {"count": contract.freshness_days, "period": "day"},
                        "error_after": {"count": 3 * contract.freshness_days, "period": "day"},
                    },
                    "loaded_at_query": (
                        f"select max(arrived_at) from ops.arrival where source = '{contract.name}' "
                        f"and dataset = '{table.name}' and outcome in ('new', 'repeat')"
                    ),
                },
                "columns": columns,
            }
        )
    entry: dict[str, Any] = {
        "version": 2,
        "sources": [
            {"name": contract.name, "description": contract.description["purpose"], "schema": "raw", "tables": tables}
        ],
    }
    head = "# Written from the contract by `cchc contracts`; edit the contract.\n"
    return head + yaml.safe_dump(entry, allow_unicode=True, sort_keys=False, width=110)


def page(all_contracts: Iterable[Contract]) -> str:
    """The page that tells departments and engineers what each source sends."""
    lines = [
        "# Các nguồn dữ liệu",
        "",
        "Trang này được viết từ các quy ước trong `extract/contracts/` bằng `cchc contracts`;",
        "hãy sửa quy ước, đừng sửa trang.",
    ]
    for contract in all_contracts:
        lines += ["", f"## {contract.name}", "", contract.description["purpose"]]
        if usage := contract.description.get("usage"):
            lines += ["", usage]
        lines += [
            "",
            f"Đơn vị chịu trách nhiệm sửa dữ liệu: {contract.owner}. "
            f"Quá {contract.freshness_days} ngày không có dữ liệu mới là trễ. Phiên bản quy ước: {contract.version}.",
        ]
        for table in contract.tables:
            lines += ["", f"### {table.business_name} (`raw.{table.physical_name}`)", ""]
            if service := table.custom("service"):
                lines += [f"Dịch vụ `{service}`; mỗi dòng là {table.grain}.", ""]
            else:
                lines += [f"Mỗi dòng là {table.grain}.", ""]
            lines += ["| Trường | Ý nghĩa | Kiểu | Bắt buộc | Trong kho |", "|---|---|---|---|---|"]
            lines += [_row(column) for column in table.columns]
            if table.rules:
                lines += ["", "Quy tắc trên dòng:", ""]
                lines += [f"- {_SEVERITIES[rule.severity]}: {rule.description}" for rule in table.rules]
    return "\n".join(lines) + "\n"


_SEVERITIES = {"error": "loại dòng", "warning": "cảnh báo, vẫn nạp"}


def _row(column: Column) -> str:
    if not column.is_stored:
        stored = "không lưu (dữ liệu cá nhân)"
    elif column.custom("privacy") == "pseudonym":
        stored = f"`{column.name}` (giả danh)"
    else:
        stored = f"`{column.name}`"
    values = f" ({', '.join(column.valid_values)})" if column.valid_values else ""
    shape = f" {column.options['format']}" if "format" in column.options else ""
    required = "có" if column.required else ""
    return f"| {column.header} | {column.title} | {_TYPES[column.type]}{shape}{values} | {required} | {stored} |"
