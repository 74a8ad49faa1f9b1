"""The checker: text columns in, typed columns and faults out, by the rules of the contract."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl

from extract.contract import Column, Quality, Table
from extract.privacy import Pseudonyms, one_line, shown

# the shapes are stricter than the parser, which takes a 60th second and a year 0
_FORMATS = {
    "yyyyMMddHHmmss": ("%Y%m%d%H%M%S", r"^[1-9][0-9]{11}[0-5][0-9]$", "14 chữ số năm-tháng-ngày-giờ-phút-giây"),
    "yyyy-MM-dd": ("%Y-%m-%d", r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$", "năm-tháng-ngày"),
    "yyyy-MM-ddTHH:mm:ss": (
        "%Y-%m-%dT%H:%M:%S%.f",
        r"^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?$",
        "năm-tháng-ngày và giờ theo ISO 8601",
    ),
    "dd/MM/yyyy": ("%d/%m/%Y", r"^[0-9]{1,2}/[0-9]{1,2}/[1-9][0-9]{3}$", "ngày/tháng/năm"),
}
_INTEGER_TYPES = {"smallint": pl.Int16, "integer": pl.Int32, "bigint": pl.Int64, "numeric": pl.Int128}
_DECIMAL = pl.Decimal(38, 9)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell; `value` is None where it must not be shown, `cell` where there are none (D17)."""

    row: int
    column: str
    value: str | None
    code: str
    reason: str
    cell: str | None = None


@dataclass
class Warned:
    """One kind of warning in a load: how many rows, and the first of them."""

    message: str
    column: str = ""
    row_count: int = 0
    first_row: int | None = None

    def add(self, rows: pl.Series) -> None:
        self.row_count += len(rows)
        first = int(rows.min())
        self.first_row = first if self.first_row is None else min(self.first_row, first)


@dataclass
class Checked:
    """Typed rows that hold every rule, and the faults of the others, in order of the columns."""

    good: pl.DataFrame
    faults: dict[int, list[Fault]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Check:
    """One way for a cell to be wrong; `is_wrong` reads typed cells under their name, texts under `_text_name`."""

    column: Column
    code: str
    reason: str
    is_wrong: pl.Expr


class Checker:
    """Checks frames of text against one table of a contract; counts warnings over all of them."""

    def __init__(
        self, table: Table, pseudonyms: Pseudonyms | None = None, covers: tuple[date, date] | None = None
    ) -> None:
        self._table = table
        self._pseudonyms = pseudonyms
        self._covers = covers
        self.warnings: dict[tuple[str, str], Warned] = {}
        self._beside_personal = any(column.is_personal for column in table.columns)
        self._checks = [check for column in table.stored_columns for check in _column_checks(column)]
        errors = [rule for rule in table.rules if rule.severity == "error"]
        self._checks += [_rule_check(table, rule) for rule in errors if rule.implementation["rule"] != "unique"]
        self._keys = [rule for rule in errors if rule.implementation["rule"] == "unique"]

    def check(self, frame: pl.DataFrame, found: dict[int, list[Fault]] | None = None) -> Checked:
        """`frame`: text columns named as in the contract, plus `_row`; columns the source lacks are taken as blank.

        `found` are faults the reader found in rows of the frame; of a column they come before the checker's own.
        """
        columns = self._table.stored_columns
        absent = [pl.lit(None, dtype=pl.String).alias(c.name) for c in columns if c.name not in frame.columns]
        text = frame.with_columns(absent).select(
            "_row", *(pl.col(column.name).str.strip_chars().replace("", None) for column in columns)
        )
        typed = [column for column in columns if _is_typed(column)]
        both = text.rename({column.name: _text_name(column) for column in typed}).with_columns(
            _typed(column).alias(column.name) for column in typed
        )
        wrong = both.select(pl.any_horizontal(check.is_wrong for check in self._checks).fill_null(False)).to_series()
        if found:
            wrong |= both["_row"].is_in(list(found))
        good = both
        faults = {}
        if wrong.any():
            faults = self._faults(both.filter(wrong), found or {})
            good = both.filter(~wrong)
        for rule in self._keys:
            good = self._without_repeats(good, rule, faults)
        # decimals go on as they were written
        good = good.with_columns(pl.col(_text_name(c)).alias(c.name) for c in columns if _is_decimal(c))
        good = good.select("_row", *(column.name for column in columns))
        self._warn(good)
        return Checked(self._with_pseudonyms(good), faults)

    def _without_repeats(self, good: pl.DataFrame, rule: Quality, faults: dict[int, list[Fault]]) -> pl.DataFrame:
        """The first row of a key stays, later ones become faults; the frame must be the whole table."""
        first = _first_rows(good, [self._table.column(name) for name in rule.implementation["columns"]])
        repeats = good.with_columns(first.alias("_first")).filter(pl.col("_first") != pl.col("_row"))
        if repeats.is_empty():
            return good
        column = self._table.column(rule.implementation["column"])
        for row, text, first_row in repeats.select("_row", _text_name(column), "_first").iter_rows():
            reason = f"{rule.description} (dòng {first_row})"
            faults[row] = [Fault(row, column.header, self._shown(text), "duplicate_key", reason)]
        return good.join(repeats.select("_row"), on="_row", how="anti", maintain_order="left")

    def _shown(self, text: str | None) -> str | None:
        """Personal data is looked for where a contract names some, or where whoever answers may send anything."""
        return one_line(text) if self._table.custom("reader") == "workbook" else shown(text, self._beside_personal)

    def _faults(self, bad: pl.DataFrame, known: dict[int, list[Fault]]) -> dict[int, list[Fault]]:
        rows = bad["_row"].to_list()
        found: dict[int, list[Fault]] = {row: list(known.get(row, ())) for row in rows}
        masks = bad.select(check.is_wrong.fill_null(False).alias(str(i)) for i, check in enumerate(self._checks))
        for check, mask in zip(self._checks, masks.iter_columns(), strict=True):
            column = check.column
            texts = bad[_text_name(column)]
            for index in mask.arg_true():
                faults = found[rows[index]]
                # a moment that cannot be read is not missing as well
                if not any(fault.column == column.header for fault in faults):
                    value = None if column.is_personal else self._shown(texts[index])
                    faults.append(Fault(rows[index], column.header, value, check.code, check.reason))
        return found

    def _warn(self, good: pl.DataFrame) -> None:
        for rule in self._table.rules:
            if rule.severity != "warning":
                continue
            if rule.implementation["rule"] == "unique":
                columns = [self._table.column(name) for name in rule.implementation["columns"]]
                rows = good.filter(_first_rows(good, columns) != good["_row"])["_row"]
            else:
                is_warned = _rule_expression(rule.implementation, self._covers)
                if is_warned is None:
                    continue
                rows = good.filter(is_warned)["_row"]
            if len(rows):
                column = self._table.column(rule.implementation["column"]).header
                key = (rule.implementation["rule"], column)
                self.warnings.setdefault(key, Warned(rule.description, column)).add(rows)

    def _with_pseudonyms(self, good: pl.DataFrame) -> pl.DataFrame:
        for column in self._table.stored_columns:
            if column.custom("privacy") == "pseudonym":
                if self._pseudonyms is None:
                    raise ValueError(f"{column.header} is personal data and no pseudonyms are configured")
                known = good[column.name].drop_nulls().unique()
                keyed = pl.DataFrame(
                    {column.name: known, "keyed": [self._pseudonyms.of(identity) for identity in known]},
                    schema={column.name: pl.String, "keyed": pl.String},
                )
                joined = good.select(column.name).join(keyed, on=column.name, how="left", maintain_order="left")
                good = good.with_columns(joined["keyed"].alias(column.name))
        return good


def _is_typed(column: Column) -> bool:
    return column.type not in ("text", "jsonb")


def _is_decimal(column: Column) -> bool:
    return column.type == "numeric" and column.logical_type == "number"


def _first_rows(frame: pl.DataFrame, columns: list[Column]) -> pl.Series:
    """For each row, the first row with the same values; case and spaces of texts do not matter."""
    keys = [
        pl.col(column.name).str.normalize("NFC").str.to_lowercase().str.replace_all(r"\s+", " ").alias(f"key{i}")
        if column.type == "text"
        else pl.col(column.name).alias(f"key{i}")
        for i, column in enumerate(columns)
    ]
    if not keys or frame.is_empty():
        return frame["_row"]
    keyed = frame.select("_row", *keys)
    return keyed.select(pl.col("_row").first().over([f"key{i}" for i in range(len(keys))])).to_series()


def _text_name(column: Column) -> str:
    return f"{column.name}:text" if _is_typed(column) else column.name


def _typed(column: Column) -> pl.Expr:
    cell = pl.col(_text_name(column))
    if _is_decimal(column):
        return cell.cast(_DECIMAL, strict=False)
    if column.type in _INTEGER_TYPES:
        return cell.cast(_INTEGER_TYPES[column.type], strict=False)
    if column.type == "boolean":
        return cell == "1"
    kind = pl.Datetime("us") if column.type == "timestamp" else pl.Date
    return cell.str.strptime(kind, _FORMATS[column.options["format"]][0], strict=False)


def _column_checks(column: Column) -> Iterable[_Check]:
    text, typed = pl.col(_text_name(column)), pl.col(column.name)
    if column.required:
        yield _Check(column, "required", f"Thiếu {column.header} (bắt buộc)", text.is_null())
    present = text.is_not_null()
    if (values := column.valid_values) is not None:
        between = "; " if any("," in value for value in values) else ", "
        reason = f"{column.header} phải là một trong: {between.join(values)}"
        yield _Check(column, "not_in_list", reason, present & ~text.is_in(values))
    elif column.type in _INTEGER_TYPES:
        reason = f"{column.header} phải là số nguyên"
        shape = "^-?[0-9]+$"
        if _is_decimal(column):
            reason, shape = f"{column.header} phải là số", "^-?[0-9]+([.][0-9]+)?$"
        is_number = text.str.contains(shape) & typed.is_not_null()
        yield _Check(column, "not_a_number", reason, present & ~is_number)
        if (minimum := column.options.get("minimum")) is not None:
            yield _Check(column, "below_minimum", f"{column.header} không được nhỏ hơn {minimum}", typed < minimum)
        if (maximum := column.options.get("maximum")) is not None:
            yield _Check(column, "above_maximum", f"{column.header} không được lớn hơn {maximum}", typed > maximum)
    elif column.type in ("timestamp", "date"):
        shape = column.options["format"]
        _, pattern, name = _FORMATS[shape]
        reason = f"{column.header} phải là {name} ({shape}) và là thời điểm có thật"
        yield _Check(column, "not_a_moment", reason, present & ~(text.str.contains(pattern) & typed.is_not_null()))
    if (pattern := column.options.get("pattern")) is not None:
        reason = f"{column.header} không đúng dạng đã quy ước"
        yield _Check(column, "unknown_shape", reason, present & ~text.str.contains(pattern))


def _rule_check(table: Table, rule: Quality) -> _Check:
    expression = _rule_expression(rule.implementation, None)
    assert expression is not None, rule.implementation
    return _Check(
        table.column(rule.implementation["column"]), rule.implementation["rule"], rule.description, expression
    )


def _rule_expression(rule: dict, covers: tuple[date, date] | None) -> pl.Expr | None:
    """True where a typed row breaks the rule; None for a rule about the file's range when the name gives none."""
    cell = pl.col(rule["column"])
    match rule["rule"]:
        case "required_unless":
            return cell.is_null() & ~pl.col(rule["when"]).is_in(rule["values"])
        case "required_when":
            return cell.is_null() & pl.col(rule["when"]).is_in(rule["values"])
        case "range_when":
            outside = (cell < rule["minimum"]) | (cell >= rule["below"])
            return outside & pl.col(rule["when"]).is_in(rule["values"])
        case "not_positive_when":
            return (cell > 0) & pl.col(rule["when"]).is_in(rule["values"])
        case "not_before":
            return cell < pl.col(rule["other"])
        case "not_after":
            return cell > pl.col(rule["other"])
        case "not_together":
            return pl.all_horizontal(pl.col(name).is_in(values) for name, values in rule["conditions"].items())
        case "in_file_range":
            if covers is None:
                return None
            first = datetime.combine(covers[0], datetime.min.time())
            after_last = datetime.combine(covers[1] + timedelta(days=1), datetime.min.time())
            return ~cell.is_between(first, after_last, closed="left")
    raise ValueError(f"the contract names an unknown rule {rule['rule']!r}")


def file_range(name: str, pattern: str) -> tuple[date, date] | None:
    """The days a file's name says it covers; None when the name does not fit or the days are no days."""
    match = re.fullmatch(pattern, name)
    if match is None:
        return None
    try:
        first, last = (datetime.strptime(match[part], "%Y%m%d").date() for part in ("from", "to"))
    except ValueError:
        return None
    return (first, last) if first <= last else None
