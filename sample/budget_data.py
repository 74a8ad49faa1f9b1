"""The budget feed's content: projects, plans, vouchers, works, revenue and expenditure of two years, from a seed.

Whatever the seed, the totals at the cut-off are those published for the first half of 2024. Where the published parts
do not add up, the counts hold: 818 and 1.699 billion disbursed by level leave 0,2 billion of the 2.518 to a project
that the list does not have yet. All amounts are whole dong.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

from cchc.periods import ReportingPeriod
from sample.agencies import agencies

Row = dict[str, Any]
Documents = dict[str, list[Row]]

BILLION = 1_000_000_000
LEVELS = ("TINH", "HUYEN", "XA")
SOURCES = ("NSTW", "CDNSDP", "KHAC")

# (level, source) → million dong; the margins are the published ones
PLAN = {
    ("TINH", "NSTW"): 1_000_000,
    ("TINH", "CDNSDP"): 11_971_000,
    ("TINH", "KHAC"): 9_000,
    ("HUYEN", "NSTW"): 323_000,
    ("HUYEN", "CDNSDP"): 4_477_000,
    ("XA", "CDNSDP"): 2_141_000,
}
ALLOCATED = {
    ("TINH", "NSTW"): 640_000,
    ("TINH", "CDNSDP"): 7_291_000,
    ("TINH", "KHAC"): 9_000,
    ("HUYEN", "NSTW"): 210_000,
    ("HUYEN", "CDNSDP"): 2_950_000,
    ("XA", "CDNSDP"): 1_256_500,
}
DISBURSED = {
    ("TINH", "NSTW"): 80_000,
    ("TINH", "CDNSDP"): 707_400,
    ("TINH", "KHAC"): 31_000,
    ("HUYEN", "NSTW"): 37_000,
    ("HUYEN", "CDNSDP"): 1_213_000,
    ("XA", "CDNSDP"): 449_400,
}
DISBURSED_UNLISTED = 200
WORKS = {
    ("TINH", "NSTW"): 95_000,
    ("TINH", "CDNSDP"): 823_000,
    ("TINH", "KHAC"): 32_000,
    ("HUYEN", "NSTW"): 45_000,
    ("HUYEN", "CDNSDP"): 1_395_000,
    ("XA", "CDNSDP"): 510_000,
}
# group → (estimate of the year, to date), billion dong
REVENUE = {"NOI_DIA": (11_496, 11_795), "DAT_XO_SO": (17_650, 6_596), "XNK": (3_600, 1_930), "KHAC": (72, 26)}
EXPENDITURE = {"DTPT": (19_921, 8_510), "TX": (9_018, 3_427), "KHAC": (1_164, 61)}

REVENUE_ITEMS = {
    "NOI_DIA": (
        "Thu từ khu vực doanh nghiệp nhà nước",
        "Thu từ khu vực doanh nghiệp có vốn đầu tư nước ngoài",
        "Thu từ khu vực kinh tế ngoài quốc doanh",
        "Thuế thu nhập cá nhân",
        "Thuế bảo vệ môi trường",
        "Lệ phí trước bạ",
        "Thu phí, lệ phí",
        "Thu khác ngân sách",
    ),
    "DAT_XO_SO": ("Thu tiền sử dụng đất", "Thu từ hoạt động xổ số kiến thiết"),
    "XNK": ("Thuế xuất khẩu, nhập khẩu", "Thuế giá trị gia tăng hàng nhập khẩu"),
    "KHAC": ("Thu viện trợ, huy động đóng góp",),
}
EXPENDITURE_ITEMS = {
    "DTPT": ("Chi đầu tư xây dựng cơ bản", "Chi đầu tư phát triển khác"),
    "TX": (
        "Chi sự nghiệp giáo dục và đào tạo",
        "Chi sự nghiệp y tế",
        "Chi quản lý hành chính",
        "Chi bảo đảm xã hội",
        "Chi sự nghiệp kinh tế",
    ),
    "KHAC": ("Dự phòng ngân sách", "Chi khác"),
}
KINDS_OF_WORK = (
    "Cải tạo, nâng cấp đường",
    "Xây dựng trường học",
    "Xây dựng trạm y tế",
    "Kiên cố hóa kênh mương",
    "Xây dựng trụ sở làm việc",
    "Xây dựng cầu",
    "Nâng cấp trạm bơm",
)


def budget_documents(period: ReportingPeriod, seed: int, scale: float) -> Documents:
    """The files of `budget/` by resource; under scale 0.05 a tenth of the projects, with the same totals."""
    return _Year(period, random.Random(f"{seed}|{period.id}|budget"), 0.1 if scale < 0.05 else 1.0).documents()


class _Year:
    """One budget year at one cut-off, and a little of the year before."""

    def __init__(self, period: ReportingPeriod, rng: random.Random, size: float) -> None:
        self.rng = rng
        self.cut_off = period.to_on
        self.first_day = dt.date(period.to_on.year, 1, 1)
        # the last days before the cut-off are not booked yet: in June 2024 the feed was complete up to the 10th
        self.complete_to = period.to_on - dt.timedelta(days=4)
        self.year = period.to_on.year
        counts = {"TINH": max(6, round(90 * size)), "HUYEN": max(8, round(140 * size)), "XA": max(8, round(160 * size))}
        self.projects = {level: [f"7{rng.randrange(10**6):06d}" for _ in range(n)] for level, n in counts.items()}
        self.plan: list[Row] = []
        self.vouchers: list[Row] = []
        self.works: list[Row] = []

    def documents(self) -> Documents:
        projects = self._projects()
        self._plans()
        self._vouchers()
        self._works()
        return {
            "du-an": projects,
            "ke-hoach-von": _in_order_of_change(self.plan),
            "giai-ngan": _in_order_of_change(self.vouchers),
            "khoi-luong": _in_order_of_change(self.works),
            "thu-ngan-sach": self._items("T", REVENUE, REVENUE_ITEMS),
            "chi-ngan-sach": self._items("C", EXPENDITURE, EXPENDITURE_ITEMS),
        }

    # ------------------------------------------------------------------------------------------------- projects

    def _projects(self) -> list[Row]:
        rng, rows = self.rng, []
        by_level = {
            level: [a for a in agencies() if a.level == level and a.valid_on(self.cut_off)] for level in (1, 2, 3)
        }
        taken: set[str] = set()
        for number, level in enumerate(LEVELS, start=1):
            owners = by_level[number] or by_level[1]
            for position, code in enumerate(self.projects[level]):
                while code in taken:
                    code = f"7{rng.randrange(10**6):06d}"
                taken.add(code)
                self.projects[level][position] = code
                owner = owners[position % len(owners)]
                row = {
                    "maDuAn": code,
                    "tenDuAn": f"{rng.choice(KINDS_OF_WORK)} {position + 1:03d} ({owner.name})",
                    "maChuDauTu": owner.code,
                    "capQuanLy": level,
                    "nhom": rng.choice("ABBCCC") if level == "TINH" else "C",
                    "capNhatLuc": self._moment(dt.date(self.year - 1, 11, 1) + dt.timedelta(days=rng.randrange(50))),
                }
                rows.append(row)
        # entered at the wrong level and put right; a change after the cut-off does not count for it
        wrong, later = rows[0], rows[-1]
        rows.append(wrong | {"capQuanLy": "HUYEN", "capNhatLuc": self._moment(dt.date(self.year - 1, 10, 20))})
        rows.append(later | {"capQuanLy": "TINH", "capNhatLuc": self._moment(self.cut_off + dt.timedelta(days=9))})
        self.unlisted = f"7{max(int(code[1:]) for code in taken) % 999_999 + 1:06d}"
        while self.unlisted in taken:
            self.unlisted = f"7{(int(self.unlisted[1:]) + 1) % 10**6:06d}"
        return _in_order_of_change(rows)

    def _owners(self, level: str, source: str) -> list[str]:
        """The projects of a level that a source pays for."""
        projects = self.projects[level]
        share = {"NSTW": slice(0, 2), "CDNSDP": slice(1, None), "KHAC": slice(2, 4)}[source]
        return projects[share]

    # ---------------------------------------------------------------------------------------------------- plans

    def _plans(self) -> None:
        assigned = dt.date(self.year - 1, 12, 8)  # the plan of a year is assigned in December, and is that year's plan
        lines = 0
        for (level, source), million in PLAN.items():
            total = million * 1_000_000
            change = total // 40 // 1_000_000 * 1_000_000
            for kind, amount, number, day in (
                ("GIAO", total + change, f"{2_900}/QĐ-UBND", assigned),
                ("DIEU_CHINH", -2 * change, "845/QĐ-UBND", self._day(0.5)),
                ("DIEU_CHINH", change, "1102/QĐ-UBND", self._day(0.8)),
            ):
                lines += 1
                self._plan_line(number, lines, day, "", level, source, kind, amount)
        for (level, source), million in ALLOCATED.items():
            projects = self._owners(level, source)
            for project, amount in zip(projects, self._split(million * 1_000_000, len(projects)), strict=True):
                lines += 1
                number = self.rng.choice(("2901/QĐ-UBND", "311/QĐ-UBND", "702/QĐ-UBND"))
                day = {"2901": assigned, "311": self._day(0.25), "702": self._day(0.45)}[number.split("/")[0]]
                self._plan_line(number, lines, day, project, level, source, "PHAN_BO", amount)
        # typed with a nought too many and put right the day after
        first = self.plan[0]
        day_before = dt.datetime.fromisoformat(first["capNhatLuc"]) - dt.timedelta(days=1)
        self.plan.append(first | {"soTien": first["soTien"] + "0", "capNhatLuc": day_before.isoformat()})
        after = self.cut_off + dt.timedelta(days=10)
        self._plan_line("1490/QĐ-UBND", 1, after, "", "TINH", "CDNSDP", "DIEU_CHINH", 500 * BILLION)
        self._plan_line("1490/QĐ-UBND", 2, after, self.projects["XA"][0], "XA", "CDNSDP", "PHAN_BO", 12 * BILLION)
        # the year before, and a line of the year to come, decided before the cut-off
        for level, source in PLAN:
            before = PLAN[level, source] * 1_000_000 // 10 * 9
            lines += 1
            self._plan_line(
                "2795/QĐ-UBND", lines, dt.date(self.year - 2, 12, 9), "", level, source, "GIAO", before, self.year - 1
            )
        early = self._day(0.9)
        self._plan_line("1120/QĐ-UBND", 1, early, "", "TINH", "CDNSDP", "GIAO", 75 * BILLION, self.year + 1)

    def _plan_line(
        self,
        number: str,
        line: int,
        day: dt.date,
        project: str,
        level: str,
        source: str,
        kind: str,
        amount: int,
        year: int | None = None,
    ) -> None:
        self.plan.append(
            {
                "soQuyetDinh": number,
                "dong": line,
                "ngayQuyetDinh": day.isoformat(),
                "nam": year or self.year,
                "maDuAn": project,
                "capQuanLy": level,
                "nguonVon": source,
                "loai": kind,
                "soTien": str(amount),
                "capNhatLuc": self._moment(day + dt.timedelta(days=1)),
            }
        )

    # ------------------------------------------------------------------------------------------------- vouchers

    def _vouchers(self) -> None:
        rng = self.rng
        for (level, source), million in DISBURSED.items():
            projects = self._owners(level, source)
            count = 3 * len(projects)
            recovered = self._split(million * 1_000_000 // 60, max(1, count // 12))
            for amount in recovered:
                self._voucher(rng.choice(projects), source, "THU_HOI", -amount, self._day(rng.uniform(0.3, 1)))
            paid = self._split(million * 1_000_000 + sum(recovered), count)
            for position, amount in enumerate(paid):
                kind = "TAM_UNG" if position % 4 == 0 else "THANH_TOAN"
                self._voucher(projects[position % len(projects)], source, kind, amount, self._day(rng.random()))
        self._voucher(self.unlisted, "CDNSDP", "THANH_TOAN", DISBURSED_UNLISTED * 1_000_000, self._day(0.7))
        # the newest day that the feed is complete for has a voucher of its own, out of two that were there
        latest = next(row for row in self.vouchers if row["loai"] == "THANH_TOAN")
        latest |= {"ngayHachToan": self.complete_to.isoformat(), "capNhatLuc": self._moment(self.complete_to, 16)}
        self._corrections()
        self._outside()

    def _voucher(
        self, project: str, source: str, kind: str, amount: int, day: dt.date, seen_on: dt.date | None = None
    ) -> Row:
        number = len(self.vouchers) + 1
        row = {
            "soChungTu": f"CT{self.year % 100:02d}-{(number + 1) // 2:06d}",
            "dong": 2 - number % 2,
            "ngayChungTu": max(self.first_day, day - dt.timedelta(days=self.rng.randrange(4))).isoformat(),
            "ngayHachToan": day.isoformat(),
            "nam": self.year,
            "maDuAn": project,
            "nguonVon": source,
            "loai": kind,
            "soTien": str(amount),
            "capNhatLuc": self._moment(seen_on or day),
        }
        self.vouchers.append(row)
        return row

    def _corrections(self) -> None:
        """Older versions of rows that count, and newer ones that came too late to count."""
        rows = list(self.vouchers)
        booked = [row for row in rows if row["ngayHachToan"] < (self.complete_to - dt.timedelta(days=3)).isoformat()]
        for position, row in enumerate(booked):
            if position % 9 == 0:
                # the first entry was wrong, and was put right on the last days before the cut-off
                amount = int(row["soTien"]) * 10 if position % 2 else int(row["soTien"]) // 2
                self.vouchers.append(row | {"soTien": str(amount)})
                row["capNhatLuc"] = self._moment(self.cut_off - dt.timedelta(days=position % 3), 10)
            elif position % 9 == 1:
                # changed after the cut-off: the report of this period still counts what was known then
                late = self._moment(self.cut_off + dt.timedelta(days=3 + position % 5))
                self.vouchers.append(row | {"soTien": str(int(row["soTien"]) * 3), "capNhatLuc": late})
            elif position % 9 == 2:
                # an old voucher that came late, but in time
                row["capNhatLuc"] = self._moment(self.complete_to + dt.timedelta(days=2), 9)

    def _outside(self) -> None:
        """Vouchers that must not count: after the cut-off, seen too late, moved away by a correction, other years."""
        projects, day = self.projects["HUYEN"], dt.timedelta(days=1)
        for position in range(8):
            after = self.cut_off + (1 + position) * day
            self._voucher(projects[position % len(projects)], "CDNSDP", "THANH_TOAN", (position + 1) * BILLION, after)
        for position in range(6):
            booked, seen = self.cut_off - position * day, self.cut_off + (3 + position) * day
            self._voucher(self.projects["XA"][position], "CDNSDP", "TAM_UNG", 3 * BILLION, booked, seen)
        moved = self._voucher(projects[0], "CDNSDP", "THANH_TOAN", 40 * BILLION, self.cut_off - 2 * day)
        self.vouchers.append(
            moved
            | {
                "ngayHachToan": (self.cut_off + 6 * day).isoformat(),
                "capNhatLuc": self._moment(self.cut_off - day),
            }
        )
        moved = self._voucher(projects[1], "CDNSDP", "THANH_TOAN", 25 * BILLION, self._day(0.1))
        before = dt.date(self.year - 1, 12, 29)
        self.vouchers.append(
            moved
            | {"ngayHachToan": before.isoformat(), "nam": self.year - 1, "capNhatLuc": self._moment(self.cut_off - day)}
        )
        months = [dt.date(self.year - 1, month, 20) for month in range(1, 13)]
        for (level, source), million in DISBURSED.items():
            owners = self._owners(level, source)
            for booked, amount in zip(months, self._split(million * 2_000_000, 12), strict=True):
                row = self._voucher(owners[booked.month % len(owners)], source, "THANH_TOAN", amount, booked)
                row |= {"nam": self.year - 1, "ngayChungTu": booked.isoformat()}

    # ---------------------------------------------------------------------------------------------------- works

    def _works(self) -> None:
        month_ends = [dt.date(self.year, month, 1) - dt.timedelta(days=1) for month in range(2, self.cut_off.month + 1)]
        earlier = [day for day in month_ends if day < self.complete_to]
        for (level, source), million in WORKS.items():
            projects = self._owners(level, source)
            for project, amount in zip(projects, self._split(million * 1_000_000, len(projects)), strict=True):
                for done, day in enumerate(earlier, start=1):
                    self._work(project, source, day, amount * done // (len(earlier) + 1))
                self._work(project, source, self.complete_to, amount)
        for position, row in enumerate(list(self.works)):
            if row["denNgay"] != self.complete_to.isoformat():
                continue
            if position % 5 == 0:
                self.works.append(row | {"giaTriLuyKe": str(int(row["giaTriLuyKe"]) * 2)})
                row["capNhatLuc"] = self._moment(self.cut_off - dt.timedelta(days=1), 11)
            elif position % 5 == 1:
                late = self._moment(self.cut_off + dt.timedelta(days=8))
                self.works.append(row | {"giaTriLuyKe": "0", "capNhatLuc": late})
        for project in self.projects["TINH"][1:4]:
            self._work(project, "CDNSDP", self.cut_off + dt.timedelta(days=16), 900 * BILLION)
            self._work(project, "CDNSDP", dt.date(self.year - 1, 12, 31), 700 * BILLION)

    def _work(self, project: str, source: str, day: dt.date, amount: int) -> None:
        self.works.append(
            {
                "maDuAn": project,
                "nguonVon": source,
                "denNgay": day.isoformat(),
                "giaTriLuyKe": str(amount),
                "capNhatLuc": self._moment(day + dt.timedelta(days=1)),
            }
        )

    # -------------------------------------------------------------------------------------- revenue, expenditure

    def _items(self, prefix: str, totals: dict[str, tuple[int, int]], items: dict[str, Sequence[str]]) -> list[Row]:
        rows = []
        number = 0
        earlier = dt.date(self.year, max(1, self.cut_off.month - 1), 28)
        for group, (estimate, to_date) in totals.items():
            names = items[group]
            estimates = self._split(estimate * BILLION, len(names))
            amounts = self._split(to_date * BILLION, len(names))
            for name, year_estimate, amount in zip(names, estimates, amounts, strict=True):
                number += 1
                for year, day, done in (
                    (self.year - 1, dt.date(self.year - 1, 12, 31), year_estimate * 101 // 100),
                    (self.year, min(earlier, self.cut_off - dt.timedelta(days=1)), amount * 4 // 5),
                    (self.year, self.cut_off, amount),
                    (self.year, self.cut_off + dt.timedelta(days=16), amount * 6 // 5),
                ):
                    rows.append(
                        {
                            "maMuc": f"{prefix}{number:02d}",
                            "tenMuc": name,
                            "nhom": group,
                            "nam": year,
                            "denNgay": day.isoformat(),
                            "duToan": str(year_estimate),
                            "luyKe": str(done),
                        }
                    )
        return rows

    # -------------------------------------------------------------------------------------------------- drawing

    def _split(self, total: int, parts: int) -> list[int]:
        """`total` in positive parts to the dong: amounts that no binary fraction holds."""
        weights = [self.rng.randrange(20, 100) for _ in range(parts)]
        shares = [total * weight // sum(weights) for weight in weights]
        shares[-1] += total - sum(shares)
        return shares

    def _day(self, share: float) -> dt.date:
        """A day of the budget year up to the newest that is complete."""
        return self.first_day + dt.timedelta(days=int((self.complete_to - self.first_day).days * share))

    def _moment(self, day: dt.date, hour: int | None = None) -> str:
        at = dt.time(
            self.rng.randrange(8, 17) if hour is None else hour, self.rng.randrange(60), self.rng.randrange(60)
        )
        return dt.datetime.combine(day, at).isoformat()


def _in_order_of_change(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["capNhatLuc"])


# ----------------------------------------------------------------------------------------------------------- answers


def count_budget(documents: Documents, cut_off: dt.date) -> dict[str, int]:
    """The true answers in whole dong, counted straight from the rows; shares nothing with the warehouse."""
    as_of = f"{cut_off.isoformat()}T23:59:59.999999"
    first, last, year = f"{cut_off.year}-01-01", cut_off.isoformat(), cut_off.year

    def known(resource: str, *key: str) -> list[Row]:
        newest: dict[tuple[Any, ...], Row] = {}
        for row in sorted(documents[resource], key=lambda row: row["capNhatLuc"]):
            if row["capNhatLuc"] <= as_of:
                newest[tuple(row[name] for name in key)] = row
        return list(newest.values())

    level = {row["maDuAn"]: row["capQuanLy"] for row in known("du-an", "maDuAn")}
    plan = [r for r in known("ke-hoach-von", "soQuyetDinh", "dong") if r["nam"] == year and r["ngayQuyetDinh"] <= last]
    vouchers = [r for r in known("giai-ngan", "soChungTu", "dong") if first <= r["ngayHachToan"] <= last]
    works: dict[tuple[str, str], Row] = {}
    for row in sorted(known("khoi-luong", "maDuAn", "nguonVon", "denNgay"), key=lambda row: row["denNgay"]):
        if first <= row["denNgay"] <= last:
            works[row["maDuAn"], row["nguonVon"]] = row

    def money(rows: Sequence[Row], field: str = "soTien", **wanted: Sequence[str]) -> int:
        return sum(int(r[field]) for r in rows if all(r[name] in values for name, values in wanted.items()))

    def managed(rows: Sequence[Row], *levels: str) -> list[Row]:
        return [row for row in rows if level.get(row["maDuAn"], row.get("capQuanLy")) in levels]

    def items(resource: str) -> list[Row]:
        newest: dict[str, Row] = {}
        for row in sorted(documents[resource], key=lambda row: row["denNgay"]):
            if row["nam"] == year and row["denNgay"] <= last:
                newest[row["maMuc"]] = row
        return list(newest.values())

    revenue, expenditure = items("thu-ngan-sach"), items("chi-ngan-sach")
    assigned = [row for row in plan if row["loai"] != "PHAN_BO"]
    domestic = ("NOI_DIA", "DAT_XO_SO")
    done = list(works.values())
    return {
        "state_revenue": money(revenue, "luyKe"),
        "state_revenue_estimate": money(revenue, "duToan"),
        "domestic_revenue": money(revenue, "luyKe", nhom=domestic),
        "domestic_revenue_estimate": money(revenue, "duToan", nhom=domestic),
        "domestic_revenue_without_land_and_lottery": money(revenue, "luyKe", nhom=("NOI_DIA",)),
        "domestic_revenue_without_land_and_lottery_estimate": money(revenue, "duToan", nhom=("NOI_DIA",)),
        "expenditure_estimate": money(expenditure, "duToan"),
        "development_expenditure_estimate": money(expenditure, "duToan", nhom=("DTPT",)),
        "development_expenditure": money(expenditure, "luyKe", nhom=("DTPT",)),
        "recurrent_expenditure": money(expenditure, "luyKe", nhom=("TX",)),
        "recurrent_expenditure_estimate": money(expenditure, "duToan", nhom=("TX",)),
        "investment_plan": money(assigned),
        "investment_plan_allocated": money(plan, loai=("PHAN_BO",)),
        "investment_disbursed": money(vouchers),
        "province_managed_plan": money(managed(assigned, "TINH")),
        "province_managed_works_done": money(managed(done, "TINH"), "giaTriLuyKe"),
        "province_managed_disbursed": money(managed(vouchers, "TINH")),
        "district_commune_plan": money(managed(assigned, "HUYEN", "XA")),
        "district_commune_works_done": money(managed(done, "HUYEN", "XA"), "giaTriLuyKe"),
        "district_commune_disbursed": money(managed(vouchers, "HUYEN", "XA")),
        "central_budget_plan": money(assigned, nguonVon=("NSTW",)),
        "central_budget_disbursed": money(vouchers, nguonVon=("NSTW",)),
        "local_balance_plan": money(assigned, nguonVon=("CDNSDP",)),
        "local_balance_disbursed": money(vouchers, nguonVon=("CDNSDP",)),
    }
