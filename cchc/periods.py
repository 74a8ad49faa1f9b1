"""Reporting periods of Decree 09/2019/NĐ-CP: months run from the 15th to the 14th, all else is built on months."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

# kind → (first month, last month) of the period, for the kinds with a single period a year
_SPANS = {"H1": (1, 6), "H2": (7, 12), "9M": (1, 9), "Y": (1, 12)}
_PATTERN = re.compile(r"(?P<year>[1-9][0-9]{3})-(?P<part>M(?:0[1-9]|1[0-2])|Q[1-4]|H[12]|9M|Y)")


class UnknownPeriod(ValueError):
    """A period id that no reporting period has."""


@dataclass(frozen=True)
class ReportingPeriod:
    """One reporting period; both ends are days that belong to it.

    Source: Decree 09/2019/NĐ-CP, article 12 (cut-off of periodic reports).
    """

    id: str
    year: int
    part: str
    from_on: date
    to_on: date

    @classmethod
    def parse(cls, period_id: str) -> ReportingPeriod:
        """`2024-M06`, `2024-Q1`, `2024-H1`, `2024-9M` or `2024-Y`; anything else raises UnknownPeriod."""
        match = _PATTERN.fullmatch(period_id)
        if match is None:
            raise UnknownPeriod(
                f"«{period_id}» không phải là kỳ báo cáo; hãy viết như 2024-M06, 2024-Q1, 2024-H1, 2024-9M hoặc 2024-Y"
            )
        year, part = int(match["year"]), match["part"]
        first, last = _months(part)
        from_on = date(year - 1, 12, 15) if first == 1 else date(year, first - 1, 15)
        return cls(period_id, year, part, from_on, date(year, last, 14))

    @property
    def year_from_on(self) -> date:
        """The first day of the reporting year: 15 December of the year before."""
        return date(self.year - 1, 12, 15)

    @property
    def default_as_of(self) -> datetime:
        """The last moment of the cut-off day, local time."""
        return end_of_day(self.to_on)

    @property
    def year_before(self) -> ReportingPeriod:
        """The same period a year before: `2023-H1` of `2024-H1`."""
        return ReportingPeriod.parse(f"{self.year - 1}-{self.part}")

    @property
    def title_vi(self) -> str:
        """The period as a report names it: `6 tháng đầu năm 2024`."""
        if self.part[0] == "M":
            return f"Tháng {int(self.part[1:])} năm {self.year}"
        if self.part[0] == "Q":
            return f"Quý {('I', 'II', 'III', 'IV')[int(self.part[1]) - 1]} năm {self.year}"
        names = {"H1": "6 tháng đầu năm", "H2": "6 tháng cuối năm", "9M": "9 tháng đầu năm", "Y": "Năm"}
        return f"{names[self.part]} {self.year}"


def end_of_day(day: date) -> datetime:
    """The last microsecond of a local day, with its zone."""
    return datetime.combine(day, time.max, LOCAL_ZONE)


def as_of_moment(as_of: str | None) -> datetime | None:
    """A day stands for its last moment; a moment without a zone is local. Raises ValueError."""
    if as_of is None:
        return None
    try:
        return end_of_day(date.fromisoformat(as_of))
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError:
        raise ValueError(f"«{as_of}» không phải ngày hay thời điểm; hãy viết như 2024-06-05") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL_ZONE)


def _months(part: str) -> tuple[int, int]:
    if part[0] == "M":
        month = int(part[1:])
        return month, month
    if part[0] == "Q":
        quarter = int(part[1])
        return 3 * quarter - 2, 3 * quarter
    return _SPANS[part]


def period_ended_before(day: date) -> ReportingPeriod:
    """The newest periodic report that is due on a day: Q1, H1, 9M or Y, whichever cut-off passed last.

    Source: the reporting calendar of the CCHC report (quarter, half-year, nine months, year).
    """
    due = [
        ReportingPeriod.parse(f"{year}-{part}") for year in (day.year - 1, day.year) for part in ("Q1", "H1", "9M", "Y")
    ]
    return max((period for period in due if period.to_on < day), key=lambda period: period.to_on)
