"""What the departments of the stand-in province report, before anyone types it into a workbook.

Rows carry real values: an agency is its code, a date a date, yes and no a bool. The totals are those that were
published for the first half of 2024, whatever the seed and the period; where the published report contradicts
itself the appendix is followed. Registers also hold rows of the time before the period, which nobody may count.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any

from cchc.periods import ReportingPeriod
from sample.agencies import PROVINCE, Agency, agencies, read_csv
from sample.names import BUSINESS_FORMS, BUSINESS_NAMES, BUSINESS_SUFFIXES
from sample.targets import apportion

Row = dict[str, object]
Table = list[Row]
# dataset such as "so-noi-vu/bien-che" → sheet → rows
Content = dict[str, dict[str, Table]]
# Leading agency → codes of procedures
Procedures = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Column:
    """One column as department_columns.csv gives it."""

    name: str
    required: bool
    labels: tuple[str, ...]
    type: str
    allowed: tuple[str, ...]
    blank_is_zero: bool


@lru_cache(maxsize=1)
def layout() -> dict[str, dict[str, tuple[Column, ...]]]:
    """Dataset → sheet → columns, in the order of the contract."""
    found: dict[str, dict[str, list[Column]]] = {}
    for row in read_csv("department_columns.csv"):
        column = Column(
            row["column"],
            row["required"] == "yes",
            tuple(row["labels"].split(" / ")),
            row["type"],
            tuple(row["allowed"].split("|")) if row["allowed"] else (),
            row["note"] == "blank = 0",
        )
        found.setdefault(row["dataset"], {}).setdefault(row["sheet"], []).append(column)
    return {dataset: {sheet: tuple(columns) for sheet, columns in sheets.items()} for dataset, sheets in found.items()}


# As printed in the appendix and the text of the report for the first half of 2024.
POSTS, POSTS_PRESENT, CONTRACTS, CONTRACTS_PRESENT, POSTS_CUT = 1_608, 1_549, 141, 139, 24
EMPLOYEES, EMPLOYEES_PRESENT, EMPLOYEES_CUT = 22_039, 19_521, 85
UNITS_OF_PROVINCE, UNITS_OF_DEPARTMENTS, UNITS_OF_DISTRICTS = 6, 91, 456
GROUP_1, GROUP_2, GROUP_3_MIDDLE, GROUP_3_LOW, GROUP_4 = 13, 29, 15, 234, 262
SENT, SENT_SIGNED, RECEIVED, RECEIVED_SIGNED = 65_637, 54_971, 226_290, 182_683
# Shares printed with one decimal (94,1 · 85,5 · 95,1 and 91,5 in all) leave the split open; this one gives them.
SENT_BY_LEVEL = {"Sở, ngành": (22_973, 21_618), "Huyện": (22_221, 18_999), "Xã": (20_443, 19_441)}
MAILBOXES, PERIODIC_REPORTS = 11_300, 58
BASELINE_2015 = (
    ("Biên chế công chức giao năm 2015", 1_894),
    ("Biên chế chuyển ra", 56),
    ("Biên chế công chức giao hiện nay để tính tinh giản", 1_655),
    ("Biên chế bổ sung", 5),
    # Not printed; 2 924 cut must be 13,09 % of it.
    ("Số người làm việc hưởng lương NSNN năm 2015", 22_338),
    ("Số người làm việc đã tinh giản", 2_924),
    ("Số ĐVSNCL năm 2015", 679),
)
PLAN_TASKS, PLAN_TASKS_DONE = 61, 39
TASKS_ON_TIME, TASKS_OVERDUE, TASKS_IN_TIME = 47, 2, 57
REVIEWED, REVIEWED_TO_HANDLE = 886, 14
INTERNAL_PROCESSES = (194, 12, 145)
INTERNAL_PROCESS_DECISIONS = 21
# Origin → (new, their capital, with increase, the increase, in force, capital in force, digits after the point)
INVESTMENT = {
    "Trong nước": (36, "7534", 23, "3881", 1_681, "332716", 1),
    "Nước ngoài": (27, "441.2", 14, "34.32", 576, "7460", 2),
}
AUDIT_BILLION, AUDIT_DONE_BILLION = Decimal("289.6"), Decimal("280.8")

CULTURE = "Văn hóa công vụ, đạo đức công vụ trong cơ quan hành chính nhà nước"
SURVEY_TRAINING = "Nghiệp vụ điều tra, khảo sát sự hài lòng của người dân, tổ chức"


class _Days:
    """Days of one period, working days where there is room for them."""

    def __init__(self, period: ReportingPeriod, rng: random.Random) -> None:
        self.period, self.rng = period, rng

    def between(self, first: dt.date, last: dt.date) -> dt.date:
        for _ in range(6):
            day = first + dt.timedelta(days=self.rng.randint(0, max(0, (last - first).days)))
            if day.weekday() < 5:
                break
        return day

    def inside(self) -> dt.date:
        return self.between(self.period.from_on, self.period.to_on)

    def before(self) -> dt.date:
        """A day that no report of this period or of its year counts."""
        first = self.period.year_from_on
        return self.between(first - dt.timedelta(days=60), first - dt.timedelta(days=3))

    def of_year(self) -> dt.date:
        return self.between(self.period.year_from_on, self.period.to_on)


@dataclass(frozen=True)
class Units:
    """Agencies of one day, by block."""

    departments: tuple[Agency, ...]
    districts: tuple[Agency, ...]
    communes: tuple[Agency, ...]

    @classmethod
    def on(cls, day: dt.date) -> Units:
        valid = [agency for agency in agencies() if agency.valid_on(day) and agency.code != PROVINCE]
        by_level = {level: tuple(agency for agency in valid if agency.level == level) for level in (1, 2, 3)}
        return cls(by_level[1], by_level[2], by_level[3])

    def level_of(self, agency: Agency) -> str:
        return {1: "Sở, ngành", 2: "Huyện", 3: "Xã"}[agency.level]


def report_day(dataset: str, period: ReportingPeriod) -> dt.date:
    """The as-of date: the cut-off, but investment is closed at the end of the month before (31/5/2024)."""
    if dataset != "so-ke-hoach-dau-tu/thu-hut-dau-tu":
        return period.to_on
    month_end = period.to_on.replace(day=1) - dt.timedelta(days=1)
    return month_end if month_end.year == period.year else period.to_on - dt.timedelta(days=4)


def build_content(period: ReportingPeriod, procedures: Procedures, rng: random.Random) -> Content:
    """All ten workbooks of a period; the procedures under review are some of `procedures`."""
    days, units = _Days(period, rng), Units.on(period.to_on)
    public_units = _public_units(units, rng)
    return {
        "so-noi-vu/to-chuc-bo-may": _organisation(units, public_units, days, rng),
        "so-noi-vu/bien-che": _staffing(units, rng),
        "so-noi-vu/cong-vu": _civil_service(days, rng),
        "so-noi-vu/chi-dao-dieu-hanh": _steering(units, days, rng),
        "van-phong-ubnd/nhiem-vu-chinh-phu": {"Nhiem vu": _government_tasks(units, days, rng)},
        "van-phong-ubnd/kiem-soat-tthc": _procedure_control(procedures, days, rng),
        "so-tu-phap/van-ban-qppl": _legal_documents(units, days, rng),
        "so-tai-chinh/tu-chu-tai-chinh": _autonomy(public_units, rng),
        "so-tttt/chinh-quyen-so": _digital(units, rng),
        "so-ke-hoach-dau-tu/thu-hut-dau-tu": {
            "Du an": _projects(report_day("so-ke-hoach-dau-tu/thu-hut-dau-tu", period), period, days, rng)
        },
    }


def procedures_by_agency(details: Sequence[Mapping[str, Any]]) -> Procedures:
    """Procedures of the portal that departments may review, by the agency that leads their field."""
    agency_of = {row["code"]: row["agency"] for row in read_csv("fields.csv")}
    found: dict[str, list[str]] = {}
    for item in details:
        if item["TRANGTHAI"] == "1" and not item["NGAYHETHIEULUC"]:
            lead = agency_of[item["LINHVUCTHUCHIEN"][0]["MALINHVUC"]]
            # Fields of the vertical sectors have no agency of the province.
            if lead:
                found.setdefault(lead, []).append(item["MATTHC"])
    return found


def _split(total: int, caps: Sequence[int], rng: random.Random, spread: float = 0.08) -> list[int]:
    """Split `total` at random, no part above its cap."""
    parts = apportion(total, [cap * rng.uniform(1 - spread, 1 + spread) + 1e-9 for cap in caps])
    over = 0
    for i, cap in enumerate(caps):
        if parts[i] > cap:
            over += parts[i] - cap
            parts[i] = cap
    for i in sorted(range(len(caps)), key=lambda i: parts[i] - caps[i]):
        room = min(over, caps[i] - parts[i])
        parts[i] += room
        over -= room
    assert over == 0
    return parts


def _sprinkle(total: int, places: int, rng: random.Random) -> list[int]:
    parts = [0] * places
    for _ in range(total):
        parts[rng.randrange(places)] += 1
    return parts


# --- so-noi-vu --------------------------------------------------

HEALTH_UNITS = (
    "Bệnh viện Đa khoa tỉnh",
    "Bệnh viện Đa khoa Phố Nối",
    "Bệnh viện Sản Nhi",
    "Bệnh viện Mắt",
    "Bệnh viện Y Dược cổ truyền",
    "Bệnh viện Phổi",
    "Bệnh viện Tâm thần kinh",
    "Bệnh viện Bệnh nhiệt đới",
    "Trung tâm Kiểm soát bệnh tật tỉnh",
    "Trung tâm Kiểm nghiệm thuốc, mỹ phẩm, thực phẩm",
    "Trung tâm Pháp y",
    "Trung tâm Giám định y khoa",
)
DEPARTMENT_UNITS = (
    ("H31.01", "Trung tâm Thông tin - Hội nghị tỉnh"),
    ("H31.01", "Trung tâm Phục vụ hành chính công và Kiểm soát thủ tục hành chính tỉnh"),
    ("H31.02", "Trung tâm Lưu trữ lịch sử"),
    ("H31.03", "Trung tâm Trợ giúp pháp lý nhà nước"),
    ("H31.03", "Trung tâm Dịch vụ đấu giá tài sản"),
    ("H31.03", "Phòng Công chứng số 1"),
    ("H31.04", "Trung tâm Xúc tiến đầu tư và Hỗ trợ doanh nghiệp"),
    ("H31.05", "Trung tâm Tư vấn và Dịch vụ tài chính công"),
    ("H31.06", "Trung tâm Khuyến công và Xúc tiến thương mại"),
    ("H31.07", "Trung tâm Khuyến nông"),
    ("H31.07", "Trung tâm Nước sạch và Vệ sinh môi trường nông thôn"),
    ("H31.07", "Trung tâm Giống nông nghiệp"),
    ("H31.08", "Trung tâm Sát hạch lái xe"),
    ("H31.08", "Ban Quản lý bảo trì công trình giao thông"),
    ("H31.09", "Trung tâm Kiểm định chất lượng công trình xây dựng"),
    ("H31.09", "Viện Quy hoạch xây dựng"),
    ("H31.10", "Văn phòng Đăng ký đất đai"),
    ("H31.10", "Trung tâm Quan trắc tài nguyên và môi trường"),
    ("H31.11", "Trung tâm Công nghệ thông tin và Truyền thông"),
    ("H31.12", "Trung tâm Dịch vụ việc làm"),
    ("H31.12", "Trung tâm Bảo trợ xã hội tổng hợp"),
    ("H31.12", "Cơ sở cai nghiện ma túy"),
    ("H31.12", "Trung tâm Điều dưỡng người có công"),
    ("H31.13", "Bảo tàng tỉnh"),
    ("H31.13", "Thư viện tỉnh"),
    ("H31.13", "Nhà hát Chèo"),
    ("H31.13", "Trung tâm Văn hóa - Nghệ thuật tỉnh"),
    ("H31.13", "Ban Quản lý di tích tỉnh"),
    ("H31.13", "Trung tâm Huấn luyện và Thi đấu thể dục thể thao"),
    ("H31.14", "Trung tâm Thông tin, Ứng dụng khoa học và công nghệ"),
    ("H31.14", "Trung tâm Kỹ thuật tiêu chuẩn đo lường chất lượng"),
    ("H31.18", "Trung tâm Dịch vụ hạ tầng khu công nghiệp"),
)
PROVINCE_UNITS = (
    ("Đài Phát thanh và Truyền hình Hưng Yên", "Văn hóa, thông tin và thể thao"),
    ("Trường Cao đẳng Cộng đồng Hưng Yên", "Giáo dục và đào tạo"),
    ("Trường Cao đẳng Y tế Hưng Yên", "Giáo dục và đào tạo"),
    ("Ban Quản lý dự án đầu tư xây dựng tỉnh", "Sự nghiệp khác"),
    ("Ban Quản lý dự án đầu tư xây dựng công trình giao thông tỉnh", "Sự nghiệp khác"),
    ("Trung tâm Phát triển quỹ đất tỉnh", "Sự nghiệp khác"),
)
EDUCATION, HEALTH, CULTURE_FIELD, OTHER_FIELD = (
    "Giáo dục và đào tạo",
    "Y tế",
    "Văn hóa, thông tin và thể thao",
    "Sự nghiệp khác",
)


def _short(agency: Agency) -> str:
    """`huyện Văn Lâm`, `xã Lạc Đạo`: the place an agency governs."""
    return agency.name.removeprefix("UBND ")


def _public_units(units: Units, rng: random.Random) -> Table:
    found: list[tuple[str, str, str, str]] = [
        (PROVINCE, name, "UBND tỉnh", field) for name, field in PROVINCE_UNITS[:UNITS_OF_PROVINCE]
    ]
    of_departments = [
        (code, name, CULTURE_FIELD if code == "H31.13" else OTHER_FIELD) for code, name in DEPARTMENT_UNITS
    ]
    of_departments += [("H31.16", name, HEALTH) for name in HEALTH_UNITS]
    places = units.districts or units.communes[:10]
    of_departments += [("H31.16", f"Trung tâm Y tế {_short(place)}", HEALTH) for place in places]
    letters = ("A", "B", "C", "D", "E")
    schools = [f"Trường THPT {name}" for name in ("Chuyên Hưng Yên", "Phố Hiến", "Triệu Quang Phục", "Dương Quảng Hàm")]
    schools += [f"Trường THPT số {i}{rng.choice(letters)}" for i in range(1, UNITS_OF_DEPARTMENTS)]
    of_departments += [("H31.15", name, EDUCATION) for name in schools]
    found += [(code, name, "Sở, ngành", field) for code, name, field in of_departments[:UNITS_OF_DEPARTMENTS]]
    of_districts = []
    for district in units.districts:
        of_districts += [
            (district.code, f"Trung tâm Văn hóa và Truyền thanh {_short(district)}", CULTURE_FIELD),
            (district.code, f"Ban Quản lý dự án đầu tư xây dựng {_short(district)}", OTHER_FIELD),
            (district.code, f"Trung tâm Giáo dục nghề nghiệp - Giáo dục thường xuyên {_short(district)}", EDUCATION),
        ]
    # Communes answer to their district; since districts are gone, their schools answer to the department.
    local = [
        (commune.parent if units.districts else "H31.15", f"Trường {kind} {_short(commune)}", EDUCATION)
        for commune in units.communes
        for kind in ("Mầm non", "Tiểu học", "THCS", "Tiểu học và THCS", "Mầm non số 2")[: 3 if units.districts else 5]
    ]
    wanted = UNITS_OF_DISTRICTS - len(of_districts)
    # Merged communes keep their schools under numbered names.
    local += [(parent, f"{name} số 2", field) for parent, name, field in local]
    basis = local[: max(wanted, len(local) // 2)]
    of_districts += sorted(rng.sample(basis, wanted))
    level = "UBND cấp huyện" if units.districts else "Sở, ngành"
    found += [(code, name, level, field) for code, name, field in sorted(of_districts)]
    serial: dict[str, int] = {}
    rows: Table = []
    for governing, name, managing, field in found:
        serial[governing] = serial.get(governing, 0) + 1
        rows.append(
            {
                "unit_code": f"{governing}.S{serial[governing]:03d}",
                "unit_name": name,
                "governing_agency": governing,
                "managing_level": managing,
                "field": field,
                "job_positions_approved": True,
                "job_position_violation": False,
            }
        )
    return rows


INTER_AGENCY = (
    ("Ban Chỉ đạo", "cải cách hành chính tỉnh"),
    ("Ban Chỉ đạo", "chuyển đổi số tỉnh"),
    ("Ban Chỉ đạo", "phòng thủ dân sự tỉnh"),
    ("Ban Chỉ đạo", "các chương trình mục tiêu quốc gia"),
    ("Ban Chỉ đạo", "phòng, chống tội phạm, tệ nạn xã hội"),
    ("Ban Chỉ đạo", "chống buôn lậu, gian lận thương mại và hàng giả"),
    ("Ban Chỉ đạo", "giải phóng mặt bằng dự án đường Vành đai 4"),
    ("Ban Chỉ đạo", "thi tốt nghiệp trung học phổ thông"),
    ("Ban Chỉ đạo", "phát triển du lịch"),
    ("Ban Chỉ đạo", "an toàn thực phẩm"),
    ("Ban Chỉ đạo", "thực hiện Đề án 06"),
    ("Ban Chỉ đạo", "hội nhập quốc tế"),
    ("Ban Chỉ đạo", "sắp xếp đơn vị hành chính cấp huyện, cấp xã"),
    ("Đoàn kiểm tra liên ngành", "cải cách hành chính"),
    ("Đoàn kiểm tra liên ngành", "bến bãi, khai thác cát"),
    ("Đoàn kiểm tra liên ngành", "phòng cháy, chữa cháy"),
    ("Đoàn kiểm tra liên ngành", "cơ sở giáo dục nghề nghiệp"),
    ("Tổ công tác", "tháo gỡ khó khăn cho doanh nghiệp, dự án đầu tư"),
    ("Tổ công tác", "giải ngân vốn đầu tư công"),
)
BOARDS = (
    "Ban Quản lý các khu công nghiệp tỉnh",
    "Ban Quản lý Khu Đại học Phố Hiến",
    "Ban Quản lý dự án đầu tư xây dựng tỉnh",
)


def _organisation(units: Units, public_units: Table, days: _Days, rng: random.Random) -> dict[str, Table]:
    specialised = {row["code"] for row in read_csv("agencies_2024.csv") if row["specialised"] == "1"}
    bodies = [*units.departments, *units.districts]
    cut = dict(zip(rng.sample([body.code for body in bodies], 2), (2, 1), strict=True))
    outside = [body.code for body in units.departments if body.code not in specialised]
    in_scope = specialised | {body.code for body in units.districts}
    # Rearranged without being in scope: counts nowhere.
    rearranged = in_scope | {rng.choice(outside)}
    return {
        "Co quan": [
            {
                "agency_code": body.code,
                "agency_name": body.name,
                "block": "Sở, ban, ngành" if body.level == 1 else "UBND cấp huyện",
                "in_scope": body.code in in_scope,
                "rearranged": body.code in rearranged,
                "divisions_cut": cut.get(body.code, 0),
                "job_positions_approved": True,
                "job_position_violation": False,
            }
            for body in bodies
        ],
        "DVSNCL": public_units,
        "Ban quan ly": [
            {"name": name, "established_by": f"Quyết định số {rng.randint(100, 2900)}/QĐ-UBND"} for name in BOARDS
        ],
        "To chuc lien nganh": [
            {
                "name": f"{kind} {subject}",
                "kind": kind,
                "established_by": f"Quyết định số {rng.randint(100, 2900)}/QĐ-UBND",
                "established_on": days.before() - dt.timedelta(days=rng.randint(30, 900)),
            }
            for kind, subject in INTER_AGENCY
        ],
    }


def _staffing(units: Units, rng: random.Random) -> dict[str, Table]:
    bodies = [*units.departments, *units.districts]
    posts = apportion(POSTS, [rng.uniform(30, 75) for _ in bodies])
    present = _split(POSTS_PRESENT, posts, rng, 0.03)
    contracts = apportion(CONTRACTS, [rng.uniform(2, 7) for _ in bodies])
    contracts_present = _split(CONTRACTS_PRESENT, contracts, rng, 0.0)
    cut = _sprinkle(POSTS_CUT, len(bodies), rng)
    places: list[tuple[str, str, float]] = [
        (PROVINCE, EDUCATION, 150),
        (PROVINCE, OTHER_FIELD, 120),
        ("H31.15", EDUCATION, 2_300),
        ("H31.16", HEALTH, 3_600),
        ("H31.13", CULTURE_FIELD, 240),
    ]
    places += [
        (body.code, OTHER_FIELD, 45) for body in units.departments if body.code not in ("H31.15", "H31.16", "H31.13")
    ]
    for place in units.districts or units.communes[:10]:
        places += [(place.code, EDUCATION, 1_450), (place.code, CULTURE_FIELD, 14), (place.code, OTHER_FIELD, 22)]
    employees = apportion(EMPLOYEES, [weight * rng.uniform(0.8, 1.25) for _, _, weight in places])
    employees_present = _split(EMPLOYEES_PRESENT, employees, rng, 0.05)
    employees_cut = _sprinkle(EMPLOYEES_CUT, len(places), rng)
    return {
        "Cong chuc": [
            {
                "agency": body.code,
                "posts_assigned": posts[i],
                "present": present[i],
                "contracts_assigned": contracts[i],
                "contracts_present": contracts_present[i],
                "posts_cut_this_year": cut[i],
            }
            for i, body in enumerate(bodies)
        ],
        "Vien chuc": [
            {
                "agency": code,
                "field": field,
                "posts_assigned": employees[i],
                "present": employees_present[i],
                "posts_cut_this_year": employees_cut[i],
            }
            for i, (code, field, _) in enumerate(places)
        ],
        "Moc 2015": [{"key": key, "value": value} for key, value in BASELINE_2015],
    }


def _numbers(rng: random.Random, first: int = 40) -> Callable[[], int]:
    """Rising document numbers, none twice."""
    steps = count()

    def take() -> int:
        return first + next(steps) * 7 + rng.randint(0, 6)

    return take


def _civil_service(days: _Days, rng: random.Random) -> dict[str, Table]:
    number = _numbers(rng)

    def decision() -> str:
        return f"{number()}/QĐ-SNV"

    def recruited(on: dt.date, target: str, method: str, persons: int) -> Row:
        return {"decision_no": decision(), "decided_on": on, "target": target, "method": method, "persons": persons}

    first = rng.randint(2, 6)
    appointments: Table = []
    for authority, persons, kinds in (
        ("Ban Thường vụ Tỉnh ủy", 7, ("Bổ nhiệm", "Điều động, bổ nhiệm")),
        ("Ban cán sự đảng", 25, ("Bổ nhiệm", "Bổ nhiệm lại", "Phê duyệt nhân sự")),
        ("Sở Nội vụ", 20, ("Thỏa thuận bổ nhiệm", "Thẩm định hồ sơ bổ nhiệm lại")),
    ):
        left = persons
        while left:
            taken = min(left, rng.randint(1, 5))
            left -= taken
            appointments.append(_appointed(decision(), days.inside(), authority, rng.choice(kinds), taken))
    appointments.append(_appointed(decision(), days.before(), "Ban cán sự đảng", "Bổ nhiệm", 4))
    left = RECLASSIFIED_TEACHERS
    while left:
        taken = min(left, rng.randint(150, 600))
        left -= taken
        appointments.append(_appointed(decision(), days.inside(), "Sở Nội vụ", RECLASSIFICATION, taken))
    return {
        "Tuyen dung": [
            recruited(days.before(), "Viên chức", "Thi tuyển", rng.randint(20, 60)),
            recruited(days.before(), "Công chức", "Đặc biệt", 1),
            recruited(days.inside(), "Công chức cấp xã", "Thi tuyển", first),
            recruited(days.inside(), "Công chức cấp xã", "Xét tuyển", 9 - first),
        ],
        "Bo nhiem": appointments,
        "Ky luat": [],
    }


def _appointed(number: str, on: dt.date, authority: str, kind: str, persons: int) -> Row:
    return {
        "decision_no": number,
        "decided_on": on,
        "authority": authority,
        "kind": kind,
        "persons": persons,
        "by_competition": False,
    }


RECLASSIFICATION = "Bổ nhiệm hạng chức danh nghề nghiệp giáo viên"
RECLASSIFIED_TEACHERS = 2_985

PLAN_WORK = (
    "Xây dựng báo cáo kết quả",
    "Tham mưu ban hành văn bản chỉ đạo",
    "Rà soát, đơn giản hóa quy trình",
    "Tổ chức tuyên truyền về",
    "Kiểm tra việc thực hiện",
    "Nâng cao chất lượng",
    "Đánh giá, xếp hạng",
)
PLAN_SUBJECTS = (
    "cải cách hành chính",
    "thủ tục hành chính nội bộ",
    "cơ chế một cửa, một cửa liên thông",
    "vị trí việc làm",
    "tự chủ của đơn vị sự nghiệp công lập",
    "số hóa hồ sơ, kết quả giải quyết thủ tục hành chính",
    "dịch vụ công trực tuyến",
    "kỷ luật, kỷ cương hành chính",
    "chuyển đổi số",
)


def _steering(units: Units, days: _Days, rng: random.Random) -> dict[str, Table]:
    period = days.period
    number = _numbers(rng, 300)
    issuer = "UBND tỉnh"
    documents = [
        *(_issued(f"{number()}/UBND-NC", days.inside(), "Công văn", subject, issuer) for subject in PLAN_SUBJECTS[:5]),
        _issued(
            f"{rng.randint(1, 20):02d}/CT-UBND",
            days.inside(),
            "Chỉ thị",
            "Tăng cường kỷ luật, kỷ cương hành chính",
            "Chủ tịch UBND tỉnh",
        ),
        _issued(f"{number()}/TB-UBND", days.inside(), "Thông báo", "cuộc họp Ban Chỉ đạo", issuer),
        _issued(f"{number()}/TB-VP", days.inside(), "Thông báo", "lịch kiểm tra", "Văn phòng UBND tỉnh"),
        _issued(f"{number()}/UBND-NC", days.before(), "Công văn", "tổng kết năm trước", issuer),
        _issued(f"{number()}/KL-UBND", days.before(), "Kết luận", "sau kiểm tra năm trước", issuer),
    ]
    titles = [f"{work} {subject}" for work in PLAN_WORK for subject in PLAN_SUBJECTS]
    chosen = rng.sample(titles, PLAN_TASKS)
    done = set(rng.sample(range(PLAN_TASKS), PLAN_TASKS_DONE))
    plan = []
    for i, title in enumerate(chosen):
        finished = days.of_year() if i in done else None
        due = (
            days.between(period.to_on, dt.date(period.year, 12, 31)) if finished is None else finished + _some_days(rng)
        )
        plan.append(
            {
                "task_no": f"{i + 1:02d}/KH-CCHC",
                "task": title,
                "lead": rng.choice(units.departments).code,
                "due_on": due if rng.random() < 0.9 else None,
                "done_on": finished,
            }
        )
    bodies = [*rng.sample(units.departments, 6), *rng.sample(units.districts, min(5, len(units.districts)))]
    end = period.to_on
    inspected = [
        {
            "agency": body.code,
            "inspected_on": end - dt.timedelta(days=4 - i % 4),
            "notice_no": f"{i + 1:02d}/TB-ĐKT",
            "notice_on": end + dt.timedelta(days=35),
            "findings": rng.randint(3, 9),
            "remedied": 0,
            "remedy_due_on": end + dt.timedelta(days=184),
        }
        for i, body in enumerate(bodies)
    ]
    last_year = days.before()
    inspected.append(
        {
            "agency": bodies[0].code,
            "inspected_on": last_year - dt.timedelta(days=20),
            "notice_no": "12/TB-ĐKT",
            "notice_on": last_year,
            "findings": 4,
            "remedied": 3,
            "remedy_due_on": last_year + dt.timedelta(days=30),
        }
    )
    examined = []
    for i, body in enumerate(rng.sample([*units.departments, *units.districts], 8)):
        planned = i < 7
        on = days.between(period.from_on, end - dt.timedelta(days=5)) if i < 3 or not planned else None
        concluded = min(end, on + dt.timedelta(days=2)) if on and i != 2 else None
        examined.append(
            {
                "agency": body.code,
                "in_plan": planned,
                "examined_on": on,
                "conclusion_on": concluded,
                "carried_out_on": min(end, concluded + dt.timedelta(days=3)) if concluded and i in (0, 7) else None,
            }
        )
    ballots = rng.randint(900, 2_000)
    subject = "Sự hài lòng đối với sự phục vụ của cơ quan hành chính"
    first_class, second_class = rng.randint(380, 520), rng.randint(120, 140)
    third_class = rng.randint(120, 140)
    return {
        "Van ban": documents,
        "Ke hoach CCHC": plan,
        "Kiem tra": inspected,
        "Thanh tra": examined,
        "Khao sat": [
            {"held_on": days.before(), "mode": "Trực tuyến", "ballots": 410, "subject": "Khảo sát năm trước"},
            {"held_on": period.from_on, "mode": "Phát phiếu", "ballots": ballots, "subject": subject},
            {"held_on": days.inside(), "mode": "Phát phiếu", "ballots": 2_905 - ballots, "subject": subject},
        ],
        "Doi thoai": [
            {"held_on": days.before(), "chair": "Chủ tịch UBND tỉnh", "audience": "Thanh niên"},
            {"held_on": days.inside(), "chair": "Chủ tịch UBND tỉnh", "audience": "Cộng đồng doanh nghiệp"},
        ],
        "Tap huan": [
            {"held_on": days.before(), "subject": SURVEY_TRAINING, "persons": 210},
            {"held_on": period.to_on, "subject": SURVEY_TRAINING, "persons": first_class},
            {"held_on": days.inside(), "subject": SURVEY_TRAINING, "persons": 1_344 - first_class},
            {"held_on": days.inside(), "subject": CULTURE, "persons": second_class},
            {"held_on": days.inside(), "subject": CULTURE, "persons": third_class},
            {"held_on": days.inside(), "subject": CULTURE, "persons": 400 - second_class - third_class},
            {"held_on": days.inside(), "subject": "Cập nhật kiến thức về Chỉ số cải cách hành chính", "persons": 96},
        ],
    }


def _issued(number: str, on: dt.date, kind: str, subject: str, issuer: str) -> Row:
    return {"doc_no": number, "issued_on": on, "kind": kind, "subject": f"V/v {subject}", "issuer": issuer}


def _some_days(rng: random.Random) -> dt.timedelta:
    return dt.timedelta(days=rng.randint(0, 40))


# --- van-phong-ubnd ---------------------------------------------


def _government_tasks(units: Units, days: _Days, rng: random.Random) -> Table:
    period = days.period
    end = period.to_on
    rows: Table = []

    def add(assigned: dt.date, due: dt.date | None, done: dt.date | None) -> None:
        kind = rng.choice(("CT-TTg", "QĐ-TTg", "CĐ-TTg", "NQ-CP", "VPCP-TH"))
        rows.append(
            {
                "task_no": f"VPCP-{period.year}-{len(rows) + 1:04d}",
                "assigned_by_doc": f"{rng.randint(2, 900)}/{kind}",
                "assigned_on": assigned,
                "lead": rng.choice(units.departments).code,
                "due_on": due,
                "done_on": done,
            }
        )

    for i in range(TASKS_ON_TIME):
        done = days.inside()
        # The first ones are finished on the very day; a few never had a due date.
        due = done if i < 4 else None if i < 7 else done + _some_days(rng)
        add(done - dt.timedelta(days=rng.randint(5, 120)), due, done)
    for _ in range(TASKS_OVERDUE):
        due = end - dt.timedelta(days=rng.randint(1, 25))
        add(due - dt.timedelta(days=rng.randint(20, 90)), due, None)
    for i in range(TASKS_IN_TIME):
        # Due on the cut-off day is not overdue yet.
        due = end if i < 2 else None if i < 6 else end + dt.timedelta(days=rng.randint(1, 150))
        add(min(end, days.between(period.from_on - dt.timedelta(days=60), end)), due, None)
    for _ in range(9):
        done = days.before()
        add(done - dt.timedelta(days=30), done + _some_days(rng), done)
    rng.shuffle(rows)
    return rows


def _procedure_control(procedures: Procedures, days: _Days, rng: random.Random) -> dict[str, Table]:
    leads = sorted(rng.sample(sorted(agency for agency, codes in procedures.items() if len(codes) >= 3), 7))
    spare = {lead: sorted(procedures[lead]) for lead in leads}
    chosen = [(lead, spare[lead].pop(rng.randrange(len(spare[lead])))) for lead in leads for _ in range(2)]
    more = sorted((lead, code) for lead, known in spare.items() for code in known)
    chosen = sorted(chosen + rng.sample(more, 6))
    sent_by = set(rng.sample(leads, 5))
    sent_on = {lead: days.inside() for lead in leads}
    assessed = {lead: f"{rng.randint(10, 900)}/VP-KSTT" for lead in leads}
    review = [
        {
            "procedure_code": code,
            "lead_agency": lead,
            "plan_year": days.period.year,
            "result_sent_on": sent_on[lead] if lead in sent_by else None,
            "assessed_doc": assessed[lead] if lead in sent_by else None,
            "plan_approved_on": None,
        }
        for lead, code in chosen
    ]
    number = _numbers(rng, 80)
    parts = [_sprinkle(total, INTERNAL_PROCESS_DECISIONS, rng) for total in INTERNAL_PROCESSES]
    decisions = [
        {
            "decision_no": f"{number()}/QĐ-UBND",
            "decided_on": days.inside(),
            "new": parts[0][i],
            "amended": parts[1][i],
            "abolished": parts[2][i],
        }
        for i in range(INTERNAL_PROCESS_DECISIONS)
    ]
    decisions.append(
        {"decision_no": f"{number()}/QĐ-UBND", "decided_on": days.before(), "new": 9, "amended": 2, "abolished": 5}
    )
    return {"Ra soat": review, "Quy trinh noi bo": decisions}


# --- so-tu-phap -------------------------------------------------


def _legal_documents(units: Units, days: _Days, rng: random.Random) -> dict[str, Table]:
    year = days.period.year
    number = _numbers(rng, 1)
    issued: Table = []

    def issue(on: dt.date, kind: str, level: str, issuer: str) -> None:
        tail = "NQ-HĐND" if kind == "Nghị quyết" else "QĐ-UBND"
        issued.append(
            {
                "doc_no": f"{number()}/{on.year}/{tail}",
                "issued_on": on,
                "kind": kind,
                "level": level,
                "issuer": issuer,
                "uploaded_on": min(days.period.to_on, on + dt.timedelta(days=9)) if rng.random() < 0.85 else None,
            }
        )

    for _ in range(3):
        issue(days.inside(), "Nghị quyết", "Tỉnh", "HĐND tỉnh")
    for _ in range(17):
        issue(days.inside(), "Quyết định", "Tỉnh", "UBND tỉnh")
    for _ in range(4):
        place = rng.choice(units.districts or units.communes)
        issue(days.inside(), "Quyết định", "Huyện", place.name)
    for _ in range(26):
        place = rng.choice(units.communes)
        issue(days.inside(), "Nghị quyết", "Xã", place.name.replace("UBND", "HĐND", 1))
    # The last day that does not count, an earlier one, and the first that does.
    issue(days.period.from_on - dt.timedelta(days=1), "Quyết định", "Tỉnh", "UBND tỉnh")
    issue(days.before(), "Nghị quyết", "Xã", "HĐND xã")
    issued[0]["issued_on"] = days.period.from_on

    drafts: Table = []
    for step, kind, wanted in (
        ("Thẩm định", "Nghị quyết", 6),
        ("Thẩm định", "Quyết định", 22),
        ("Góp ý", "Nghị quyết", 11),
        ("Góp ý", "Quyết định", 35),
    ):
        for _ in range(wanted):
            drafts.append(_draft(len(drafts) + 1, step, kind, days.inside(), rng))
    drafts.append(_draft(len(drafts) + 1, "Thẩm định", "Quyết định", days.before(), rng))
    drafts.append(_draft(len(drafts) + 1, "Góp ý", "Nghị quyết", days.before(), rng))

    checks: Table = []
    check = _numbers(rng, 2)

    def checked(scope: str, on: dt.date, needs: bool, handled: dt.date | None) -> None:
        checks.append(
            {
                "doc_no": f"{check()}/{year}/QĐ-UBND",
                "checked_on": on,
                "scope": scope,
                "needs_handling": needs,
                "handled_on": handled,
            }
        )

    for i in range(17):
        on = days.inside()
        # Needs handling after a self-check: stands in the text, in no row of the form.
        checked("Tự kiểm tra", on, i == 0, min(days.period.to_on, on + dt.timedelta(days=5)) if i == 0 else None)
    for i in range(5):
        on = days.inside()
        checked("Theo thẩm quyền", on, i < 2, min(days.period.to_on, on + dt.timedelta(days=12)) if i < 2 else None)
    checked("Theo thẩm quyền", days.before(), True, None)

    to_handle = set(rng.sample(range(REVIEWED), REVIEWED_TO_HANDLE))
    reviewed: Table = []
    for i in range(REVIEWED + 4):
        on = days.inside() if i < REVIEWED else days.before()
        needs = i in to_handle or i == REVIEWED + 1
        old = year - rng.randint(1, 18)
        kind = rng.choice(("NQ-HĐND", "QĐ-UBND", "QĐ-UBND"))
        reviewed.append(
            {
                "doc_no": f"{i % 97 + 1}/{old}/{kind}/{i:03d}",
                "reviewed_on": on,
                "needs_handling": needs,
                "handled_on": min(days.period.to_on, on + _some_days(rng)) if needs and i < REVIEWED else None,
            }
        )
    return {"Ban hanh": issued, "Tham dinh": drafts, "Kiem tra": checks, "Ra soat": reviewed}


def _draft(serial: int, step: str, kind: str, on: dt.date, rng: random.Random) -> Row:
    subject = rng.choice(
        (
            "quy định mức thu phí, lệ phí",
            "phân cấp quản lý công trình",
            "quy chế phối hợp quản lý",
            "bảng giá đất điều chỉnh",
            "chính sách hỗ trợ sản xuất nông nghiệp",
            "chức năng, nhiệm vụ của sở",
            "định mức kinh tế - kỹ thuật",
        )
    )
    return {"draft": f"Dự thảo {kind} {subject} (lần {serial:02d})", "kind": kind, "step": step, "done_on": on}


# --- so-tai-chinh -----------------------------------------------


def _autonomy(public_units: Table, rng: random.Random) -> dict[str, Table]:
    groups = ["Nhóm 1"] * GROUP_1 + ["Nhóm 2"] * GROUP_2 + ["Nhóm 4"] * GROUP_4
    groups += ["Nhóm 3 giữa"] * GROUP_3_MIDDLE + ["Nhóm 3 thấp"] * GROUP_3_LOW
    rng.shuffle(groups)
    shares = {
        "Nhóm 1": lambda: None,
        "Nhóm 2": lambda: Decimal(100),
        "Nhóm 3 giữa": lambda: Decimal(rng.randint(300, 699)) / 10,
        "Nhóm 3 thấp": lambda: Decimal(rng.randint(100, 299)) / 10,
        "Nhóm 4": lambda: rng.choice((None, Decimal(rng.randint(0, 99)) / 10)),
    }
    units = [
        {
            "unit_code": unit["unit_code"],
            "unit_name": unit["unit_name"],
            "group": group[:6],
            "recurrent_share": shares[group](),
            "converted_on": None,
        }
        for unit, group in zip(public_units, groups, strict=True)
    ]
    # Edges of the bands belong to the upper one.
    low = [row for row, group in zip(units, groups, strict=True) if group == "Nhóm 3 thấp"]
    middle = [row for row, group in zip(units, groups, strict=True) if group == "Nhóm 3 giữa"]
    low[0]["recurrent_share"], middle[0]["recurrent_share"] = Decimal(10), Decimal(30)
    kinds = (
        "Thu hồi nộp ngân sách nhà nước",
        "Giảm trừ dự toán, thanh toán",
        "Xử lý tài chính khác",
        "Thu thuế tăng thêm",
    )
    amounts = apportion(int(AUDIT_BILLION * 10), [rng.uniform(1, 5) for _ in range(8)])
    done = _split(int(AUDIT_DONE_BILLION * 10), amounts, rng, 0.03)
    audit = [
        {
            "recommendation": f"{kinds[i % 4]} (niên độ {2021 + i // 4})",
            "amount": Decimal(amounts[i]) / 10,
            "done": Decimal(done[i]) / 10,
        }
        for i in range(8)
    ]
    return {"Tu chu": units, "Kien nghi kiem toan": audit}


# --- so-tttt ----------------------------------------------------


def _digital(units: Units, rng: random.Random) -> dict[str, Table]:
    everyone = [*units.departments, *units.districts, *units.communes]
    targets = dict(SENT_BY_LEVEL)
    if not units.districts:
        targets["Xã"] = tuple(a + b for a, b in zip(targets["Xã"], targets.pop("Huyện"), strict=True))
    sent: list[int] = []
    electronic: list[int] = []
    for level, (total, whole) in targets.items():
        members = [unit for unit in everyone if units.level_of(unit) == level]
        parts = apportion(total, [rng.uniform(0.4, 1.6) for _ in members])
        sent += parts
        electronic += _split(whole, parts, rng, 0.06)
    signed = _split(SENT_SIGNED, electronic, rng)
    received = apportion(RECEIVED, [rng.uniform(0.5, 1.5) * (4 if unit.level < 3 else 1) for unit in everyone])
    received_signed = _split(RECEIVED_SIGNED, received, rng)
    exchange = [
        {
            "unit": unit.code,
            "level": units.level_of(unit),
            "sent": sent[i],
            "sent_fully_electronic": electronic[i],
            "sent_signed": signed[i],
            "received": received[i],
            "received_signed": received_signed[i],
        }
        for i, unit in enumerate(everyone)
    ]
    connected = [
        {
            "unit": unit.code,
            "level": units.level_of(unit),
            "docs_connected": True,
            "one_stop_connected": True,
            # A department without its own room joins at the province's: only districts and communes count.
            "video_connected": unit.level > 1 or rng.random() < 0.8,
        }
        for unit in everyone
    ]
    platform = [
        ("Kiến trúc CQĐT phiên bản mới nhất", "Hoàn thành"),
        ("LGSP", "Hoàn thành"),
        ("Báo cáo định kỳ phải gửi", PERIODIC_REPORTS),
        ("Báo cáo định kỳ gửi qua Hệ thống", PERIODIC_REPORTS),
        ("Hộp thư công vụ", MAILBOXES),
    ]
    return {
        "Van ban dien tu": exchange,
        "Ket noi": connected,
        "Nen tang": [{"key": key, "value": value} for key, value in platform],
    }


# --- so-ke-hoach-dau-tu -----------------------------------------

WORKS = (
    "Nhà máy sản xuất linh kiện điện tử",
    "Nhà máy cơ khí chính xác",
    "Nhà máy bao bì",
    "Nhà máy may mặc xuất khẩu",
    "Nhà máy chế biến nông sản",
    "Nhà máy sản xuất đồ nhựa",
    "Kho vận và dịch vụ logistics",
    "Khu nhà ở thương mại",
    "Trung tâm thương mại",
    "Nhà máy sản xuất vật liệu xây dựng",
)


def _projects(as_of: dt.date, period: ReportingPeriod, days: _Days, rng: random.Random) -> Table:
    new_year = dt.date(period.year, 1, 1)
    rows: Table = []
    for origin, (new, new_capital, raised, raise_total, in_force, capital, digits) in INVESTMENT.items():
        unit = 10**digits
        fresh = _amounts(int(Decimal(new_capital) * unit), new, rng)
        older = _amounts(int((Decimal(capital) - Decimal(new_capital)) * unit), in_force - new, rng)
        increases = _amounts(int(Decimal(raise_total) * unit), raised, rng)
        ended = [rng.randint(unit, 300 * unit) for _ in range(18 if digits == 1 else 7)]
        currency = "tỷ đồng" if digits == 1 else "triệu USD"
        for i, amount in enumerate([*fresh, *older, *ended]):
            is_new, is_ended = i < new, i >= in_force
            certified = (
                days.between(new_year, as_of)
                if is_new
                else days.between(new_year - dt.timedelta(days=365 * 18), new_year - dt.timedelta(days=200))
            )
            row: Row = {
                "certificate_no": f"{'05' if digits == 1 else '76'}{len(rows) + 121_000_000:09d}{rng.randint(0, 9)}",
                "project": f"{rng.choice(WORKS)} của {rng.choice(BUSINESS_FORMS)} "
                f"{rng.choice(BUSINESS_NAMES)}{rng.choice(BUSINESS_SUFFIXES)}",
                "origin": origin,
                "certified_on": certified,
                "registered_capital": Decimal(amount) / unit,
                "currency": currency,
                "adjusted_on": None,
                "capital_increase": None,
                "ended_on": days.between(new_year - dt.timedelta(days=150), as_of) if is_ended else None,
            }
            if new <= i < new + raised:
                row["adjusted_on"] = days.between(new_year, as_of)
                row["capital_increase"] = Decimal(increases[i - new]) / unit
            elif not is_new and rng.random() < 0.03:
                # Raised in an earlier year, or adjusted this year without more capital.
                row["adjusted_on"] = days.between(certified, new_year - dt.timedelta(days=1))
                row["capital_increase"] = Decimal(rng.randint(1, 200 * unit)) / unit
            rows.append(row)
    rng.shuffle(rows)
    return rows


def _amounts(total: int, parts: int, rng: random.Random) -> list[int]:
    """Whole amounts, none of them zero, that add up to `total`."""
    return [1 + part for part in apportion(total - parts, [rng.lognormvariate(0, 1.2) for _ in range(parts)])]
