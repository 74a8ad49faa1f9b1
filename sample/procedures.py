"""Procedures, services, publication decisions and feedback of the stand-in portal.

Around the procedures in force at the cut-off stand those that must not count: abolished, not yet in force,
suspended. They carry services, fees and joined-up marks too, so that a reader who forgets a date gets a
different number.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from cchc.periods import ReportingPeriod
from sample.agencies import read_csv
from sample.targets import FULL, INFORMATION, LEVELS, NO_LEVEL, PARTIAL, PortalTarget, apportion

LONG_AGO_DAYS = 2_500

# Shares of the full-size province, apportioned to the size wanted.
FULL_BY_LEVEL = (809, 150, 48)
NOT_ONLINE_BY_LEVEL = (66, 15, 9)
ACTIVE_CELLS = ((1, FULL), (1, PARTIAL), (2, FULL), (2, PARTIAL), (3, FULL), (3, PARTIAL))
ACTIVE_SHARES = (180, 90, 40, 60, 22, 36)
COUNTER_ONLY_SHARES = (24, 12, 0, 4, 0, 2)

ACTIONS = (
    "Cấp giấy phép hoạt động",
    "Cấp lại giấy phép hoạt động do mất, hỏng",
    "Gia hạn giấy phép hoạt động",
    "Điều chỉnh nội dung giấy phép hoạt động",
    "Thu hồi giấy phép hoạt động theo đề nghị của tổ chức, cá nhân",
    "Cấp giấy chứng nhận đủ điều kiện",
    "Cấp lại giấy chứng nhận đủ điều kiện",
    "Cấp đổi giấy chứng nhận đủ điều kiện",
    "Cấp chứng chỉ hành nghề",
    "Cấp lại chứng chỉ hành nghề",
    "Cấp đổi, điều chỉnh chứng chỉ hành nghề",
    "Đăng ký hoạt động",
    "Đăng ký thay đổi nội dung hoạt động",
    "Thông báo chấm dứt hoạt động",
    "Thẩm định hồ sơ",
    "Phê duyệt phương án",
    "Phê duyệt điều chỉnh phương án",
    "Công nhận cơ sở đạt tiêu chuẩn",
    "Công nhận lại cơ sở đạt tiêu chuẩn",
    "Chấp thuận chủ trương",
    "Xác nhận hồ sơ",
    "Xác nhận thay đổi thông tin",
    "Thành lập tổ chức",
    "Sáp nhập, chia, tách tổ chức",
    "Giải thể tổ chức",
    "Bổ nhiệm người thực hiện nhiệm vụ",
    "Miễn nhiệm người thực hiện nhiệm vụ",
    "Hỗ trợ kinh phí",
    "Hỗ trợ một lần",
    "Cung cấp thông tin, dữ liệu",
    "Cho phép hoạt động trở lại",
    "Đình chỉ hoạt động theo đề nghị",
    "Đề nghị khen thưởng",
    "Kiểm tra, đánh giá định kỳ",
)
WHERE = {1: "cấp tỉnh", 2: "cấp huyện", 3: "cấp xã"}
FEES = (5_000, 10_000, 15_000, 30_000, 50_000, 75_000, 100_000, 150_000, 200_000, 300_000, 500_000, 1_200_000)
GROUPS = ("NHOM-KHAISINH", "NHOM-KHAITU", "NHOM-DATDAI-THUE", "NHOM-DOANHNGHIEP")


@dataclass
class Service:
    """One online service; `valid_to` is the first day it is no longer offered."""

    code: str
    mucdo: int
    valid_from: dt.date
    valid_to: dt.date | None = None
    national: bool = False
    payable: bool = False


@dataclass
class Procedure:
    """One administrative procedure with everything the portal tells about it."""

    number: str
    name: str
    field: str
    agency: str
    levels: list[int]
    mucdo: int
    valid_from: dt.date
    fee: int = 0
    days: int = 5
    weight: float = 1.0
    valid_to: dt.date | None = None
    known: bool = False
    status: str = "1"
    vertical: str = ""
    joined: list[tuple[str, str]] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    portal_code: str = ""

    @property
    def level(self) -> int:
        return min(self.levels)

    @property
    def throughout(self) -> bool:
        """Nothing about its validity changes near the period, so dossiers of any day may use it."""
        return self.valid_to is None and self.status == "1"


@dataclass
class Decision:
    number: str
    signed_on: dt.date
    entries: list[tuple[str, int]]


@dataclass
class Catalogue:
    """The portal's content, and which procedures the dossiers draw on."""

    procedures: list[Procedure]
    decisions: list[Decision]
    feedback: list[dict[str, str]]
    active: dict[tuple[int, int], list[int]]
    counter_only: dict[tuple[int, int], list[int]]
    replaced: list[int]
    replaced_on: dict[int, dt.date]
    information: dict[int, list[int]]
    idle: dict[tuple[int, int], list[int]]
    gone: list[int]
    unknown_numbers: list[str]


class _Builder:
    def __init__(self, period: ReportingPeriod, target: PortalTarget, rng: np.random.Generator) -> None:
        self.period, self.target, self.rng = period, target, rng
        self.from_on, self.to_on = period.from_on, period.to_on
        self.fields = read_csv("fields.csv")
        self.numbers: set[str] = {row["code"] for row in read_csv("known_procedures.csv") if row["code"]}
        self.names: set[tuple[str, str]] = set()
        self.procedures: list[Procedure] = []

    # --- small helpers ---------------------------------------------

    def day(self, low: dt.date, high: dt.date) -> dt.date:
        return low + dt.timedelta(days=int(self.rng.integers(0, max((high - low).days, 0) + 1)))

    def long_ago(self) -> dt.date:
        return self.from_on - dt.timedelta(days=int(self.rng.integers(60, LONG_AGO_DAYS)))

    def number(self) -> str:
        while True:
            ending = "0" if self.rng.random() < 0.15 else str(self.rng.integers(0, 10))
            number = f"{self.rng.choice((1, 1, 1, 2, 3))}.{self.rng.integers(0, 1300):05d}{ending}"
            if number not in self.numbers:
                self.numbers.add(number)
                return number

    def pick(self, items: list[int], count: int) -> list[int]:
        if count > len(items):
            raise ValueError(f"the portal is too small: {count} wanted, {len(items)} there")
        return [items[i] for i in sorted(self.rng.choice(len(items), size=count, replace=False))]

    def generated(self, level: int, mucdo: int, valid_from: dt.date, vertical: str = "") -> Procedure:
        if vertical:
            prefix = {"CONGAN": "G21", "BHXH": "G22", "DIENLUC": "G23"}[vertical]
            choices = [row for row in self.fields if row["code"].startswith(prefix)]
        else:
            choices = [row for row in self.fields if str(level) in row["levels"].split() and row["agency"]]
        while True:
            row = choices[int(self.rng.integers(0, len(choices)))]
            action = ACTIONS[int(self.rng.integers(0, len(ACTIONS)))]
            name = f"{action} trong lĩnh vực {row['name']} {WHERE[level]}"
            if (row["code"], name) in self.names:
                # The same act for another kind of applicant is a procedure of its own on the real portal too.
                name += f" (trường hợp {self.rng.integers(1, 40)})"
            if (row["code"], name) not in self.names:
                break
        self.names.add((row["code"], name))
        levels = [level]
        lower = [other for other in LEVELS if other > level and str(other) in row["levels"].split()]
        if lower and self.rng.random() < 0.12:
            levels = [*lower, level]
        return Procedure(
            self.number(),
            name,
            row["code"],
            row["agency"],
            levels,
            mucdo,
            valid_from,
            days=int(self.rng.choice((1, 3, 5, 7, 10, 15, 20, 30))),
            weight=float(self.rng.pareto(1.2) + 0.2),
            vertical=vertical,
        )

    def add(self, procedure: Procedure) -> int:
        self.procedures.append(procedure)
        return len(self.procedures) - 1

    # --- procedures in force ---------------------------------------------

    def in_force(self) -> dict[tuple[int, int], list[int]]:
        """Procedures in force at the cut-off, by (level, service level), known ones first."""
        target = self.target
        full = apportion(target.services_full, FULL_BY_LEVEL)
        information = apportion(target.services_information, NOT_ONLINE_BY_LEVEL)
        bare = apportion(target.procedures_without_service, NOT_ONLINE_BY_LEVEL)
        known = read_csv("known_procedures.csv")
        vertical = [kind for kind, count in target.vertical for _ in range(count)]
        owners = {row["code"]: row["agency"] for row in self.fields}
        cells: dict[tuple[int, int], list[int]] = {}
        for i, level in enumerate(LEVELS):
            partial = target.procedures[i] - full[i] - information[i] - bare[i]
            sizes = ((FULL, full[i]), (PARTIAL, partial), (INFORMATION, information[i]), (NO_LEVEL, bare[i]))
            for mucdo, size in sizes:
                cell = cells[level, mucdo] = []
                for row in known:
                    if len(cell) < size and (int(row["level"]), int(row["mucdo"])) == (level, mucdo):
                        self.names.add((row["field"], row["name"]))
                        cell.append(
                            self.add(
                                Procedure(
                                    row["code"] or self.number(),
                                    row["name"],
                                    row["field"],
                                    owners[row["field"]],
                                    [level],
                                    mucdo,
                                    self.long_ago(),
                                    fee=int(row["fee"]),
                                    days=int(row["days"]),
                                    weight=float(row["weight"]) * float(self.rng.uniform(0.8, 1.2)),
                                    known=True,
                                )
                            )
                        )
                while len(cell) < size:
                    # Police, social insurance and electricity stand behind the procedures with dossiers.
                    kind = vertical.pop() if vertical and (level, mucdo) == (1, PARTIAL) and _late(cell, size) else ""
                    cell.append(self.add(self.generated(level, mucdo, self.long_ago(), kind)))
        if vertical:
            raise ValueError("the portal is too small for the procedures of the vertical sectors")
        return cells

    def services(self) -> None:
        """One service each, except where the procedure has none."""
        for procedure in self.procedures:
            if procedure.mucdo != NO_LEVEL:
                since = max(procedure.valid_from, self.from_on - dt.timedelta(days=900))
                procedure.services.append(Service(f"DVC-{procedure.number}-1", procedure.mucdo, since))

    def split_service(self, index: int, on: dt.date) -> None:
        """Replace the partial service by a full one on a day within the period."""
        procedure = self.procedures[index]
        old = procedure.services[0]
        old.mucdo, old.valid_to = PARTIAL, on
        procedure.services.append(Service(f"DVC-{procedure.number}-2", FULL, on))


def _late(cell: list[int], size: int) -> bool:
    return len(cell) >= size * 0.5


def build_catalogue(period: ReportingPeriod, target: PortalTarget, rng: np.random.Generator) -> Catalogue:
    """Everything the portal holds for a report on `period`."""
    build = _Builder(period, target, rng)
    cells = build.in_force()
    build.services()
    procedures = build.procedures
    in_force = list(range(len(procedures)))

    # The services with dossiers: the first of each cell, so that the well-known ones are among them.
    single = target.active_services - 2 * target.replaced_services
    active, counter_only = {}, {}
    counts = apportion(single, ACTIVE_SHARES)
    offline = apportion(target.active_services - target.active_services_online, COUNTER_ONLY_SHARES)
    taken: set[int] = set()
    for cell, count, without_online in zip(ACTIVE_CELLS, counts, offline, strict=True):
        usable = [i for i in cells[cell] if not procedures[i].vertical][:count]
        if len(usable) < count:
            raise ValueError(f"the portal is too small: {count} active services wanted in {cell}, {len(usable)} there")
        active[cell] = usable
        counter_only[cell] = usable[count - without_online :] if without_online else []
        taken.update(usable)
    free_full = [i for i in cells[1, FULL] if i not in taken]
    replaced = free_full[: target.replaced_services]
    taken.update(replaced)
    span = (period.to_on - period.from_on).days
    replaced_on = {}
    for index in replaced:
        on = period.from_on + dt.timedelta(days=round(span * float(rng.uniform(0.4, 0.6))))
        build.split_service(index, on)
        replaced_on[index] = on
    information = {level: [*cells[level, INFORMATION], *cells[level, NO_LEVEL]] for level in LEVELS}
    quiet = [i for i in in_force if i not in taken and i not in {j for cell in information.values() for j in cell}]

    decisions = _decisions(build, quiet, in_force)
    _end_later(build, [i for i in quiet if procedures[i].throughout])
    gone = [i for i in range(len(procedures)) if i not in set(in_force)]
    _fees(build, in_force)
    _joined_up(build, in_force)
    _national(build, in_force)
    for i, procedure in enumerate(procedures):
        procedure.portal_code = procedure.number if i % 5 == 3 else f"{procedure.number}.H31"

    idle = {
        cell: [
            i
            for i in quiet
            if procedures[i].throughout
            and procedures[i].valid_from < period.from_on - dt.timedelta(days=30)
            and not procedures[i].vertical
            and (procedures[i].level, procedures[i].mucdo) == cell
        ]
        for cell in ACTIVE_CELLS
    }
    unknown = [build.number() for _ in range(4)]
    return Catalogue(
        procedures,
        decisions,
        _feedback(period, rng),
        active,
        counter_only,
        replaced,
        replaced_on,
        information,
        idle,
        gone,
        unknown,
    )


def _outside(
    build: _Builder,
    count: int,
    valid_from: dt.date | None = None,
    valid_to: dt.date | None = None,
    status: str = "1",
) -> list[int]:
    """Procedures not in force at the cut-off, with services, as the portal keeps them."""
    made = []
    for _ in range(count):
        level = int(build.rng.choice(LEVELS, p=(0.77, 0.16, 0.07)))
        mucdo = int(build.rng.choice((FULL, PARTIAL, NO_LEVEL), p=(0.5, 0.35, 0.15)))
        procedure = build.generated(level, mucdo, valid_from or build.long_ago())
        procedure.valid_to, procedure.status = valid_to, status
        if mucdo != NO_LEVEL:
            # Half of the services were never closed with their procedure: they must not count either.
            ends = valid_to if build.rng.random() < 0.5 else None
            since = max(procedure.valid_from, build.from_on - dt.timedelta(days=900))
            if ends is None or since < ends:
                procedure.services.append(Service(f"DVC-{procedure.number}-1", mucdo, since, ends))
        made.append(build.add(procedure))
    return made


def _decisions(build: _Builder, quiet: list[int], in_force: list[int]) -> list[Decision]:
    """Decisions of the period with the published numbers of distinct procedures; some before and after it."""
    target, rng, from_on, to_on = build.target, build.rng, build.from_on, build.to_on
    days = sorted([build.day(from_on, to_on) for _ in range(target.decisions)])
    days[0], days[-1] = from_on, to_on
    decisions = [Decision("", day, []) for day in days]
    _publish(build, decisions, quiet, in_force)
    everything = [*_decisions_before(build, len(decisions), in_force), *decisions]
    everything += _decisions_after(build, len(decisions), in_force)
    _outside(build, target.suspended, status="2")
    serial = 100
    for decision in everything:
        serial += int(rng.integers(3, 40))
        decision.number = f"{serial}/QĐ-UBND"
    return everything


def _publish(build: _Builder, decisions: list[Decision], quiet: list[int], in_force: list[int]) -> None:
    """Spread new, amended and abolished procedures over the decisions, some of them twice."""
    target, rng, procedures, to_on = build.target, build.rng, build.procedures, build.to_on
    one_day = dt.timedelta(days=1)
    last = len(decisions) - 1

    # Newly published: most are in force at the cut-off, a few only after it.
    edge = max(1, round(target.published_new * 0.014))
    new = build.pick(quiet, target.published_new - edge)
    quiet_left = [i for i in quiet if i not in set(new)]
    for position, index in enumerate(new):
        where = last if position == 0 else position % len(decisions)
        signed = decisions[where].signed_on
        procedure = procedures[index]
        procedure.valid_from = to_on if position == 0 else min(to_on, signed + one_day * int(rng.integers(0, 11)))
        for service in procedure.services:
            service.valid_from = procedure.valid_from
        decisions[where].entries.append((procedure.number, 1))
    for index in _outside(build, edge, valid_from=to_on + one_day):
        decisions[last].entries.append((procedures[index].number, 1))

    # Abolished: most out of force by the cut-off, a few from the day after it.
    still = build.pick(quiet_left, edge)
    for index in still:
        procedures[index].valid_to, procedures[index].status = to_on + one_day, "0"
        decisions[last].entries.append((procedures[index].number, 3))
    for position in range(target.published_abolished - edge):
        where = last if position == 0 else (position * 7) % len(decisions)
        signed = decisions[where].signed_on
        ends = to_on if position == 0 else min(to_on, signed + one_day * int(rng.integers(0, 6)))
        # The portal is slow to switch the state of some; the date decides.
        status = "1" if position % 60 == 1 else "0"
        (index,) = _outside(build, 1, valid_to=ends, status=status)
        decisions[where].entries.append((procedures[index].number, 3))

    for position, index in enumerate(build.pick(in_force, target.published_amended)):
        decisions[(position * 5) % len(decisions)].entries.append((procedures[index].number, 2))

    # The same procedure again in a later decision, with the same effect: still one procedure.
    for kind, count in ((1, 6), (2, 9), (3, 4)):
        for position in range(min(count, len(decisions) - 1)):
            earlier = [entry for entry in decisions[position].entries if entry[1] == kind]
            if earlier and earlier[0] not in decisions[position + 1].entries:
                decisions[position + 1].entries.append(earlier[0])
    if any(not decision.entries for decision in decisions):
        raise ValueError("a decision without procedures")


def _decisions_before(build: _Builder, usual: int, in_force: list[int]) -> list[Decision]:
    """Earlier decisions, the last one on the eve of the period, with what they abolished."""
    rng, procedures, from_on = build.rng, build.procedures, build.from_on
    one_day = dt.timedelta(days=1)
    days = sorted(build.day(from_on - one_day * 500, from_on - one_day) for _ in range(max(2, usual // 2)))
    days[-1] = from_on - one_day
    decisions = [Decision("", day, []) for day in days]
    for position, index in enumerate(_outside(build, build.target.abolished_before, status="0")):
        decision, procedure = decisions[position % len(decisions)], procedures[index]
        procedure.valid_to = decision.signed_on
        procedure.valid_from = decision.signed_on - one_day * int(rng.integers(400, 3_000))
        for service in procedure.services:
            service.valid_from = max(procedure.valid_from, from_on - one_day * 900)
            service.valid_to = decision.signed_on if position % 2 else None
        decision.entries.append((procedure.number, 3))
    for decision in decisions:
        decision.entries += [(procedures[i].number, 2) for i in build.pick(in_force, int(rng.integers(1, 6)))]
    return decisions


def _decisions_after(build: _Builder, usual: int, in_force: list[int]) -> list[Decision]:
    """Later decisions, the first one on the day after the cut-off, with what they bring into force."""
    procedures, to_on = build.procedures, build.to_on
    one_day = dt.timedelta(days=1)
    days = sorted(build.day(to_on + one_day, to_on + one_day * 60) for _ in range(max(2, usual // 8)))
    days[0] = to_on + one_day
    decisions = [Decision("", day, []) for day in days]
    coming = _outside(build, build.target.not_yet_in_force, valid_from=to_on + one_day * 20)
    for position, index in enumerate(coming):
        decision, procedure = decisions[position % len(decisions)], procedures[index]
        procedure.valid_from = decision.signed_on + one_day
        for service in procedure.services:
            service.valid_from = procedure.valid_from
        decision.entries.append((procedure.number, 1))
    for decision in decisions:
        decision.entries += [(procedures[i].number, 2) for i in build.pick(in_force, 2)]
    return decisions


def _end_later(build: _Builder, candidates: list[int]) -> None:
    """In force at the cut-off, abolished since: so the portal says today, and the report must not."""
    for index in build.pick(candidates[-len(candidates) // 2 :], build.target.ended_after):
        procedure = build.procedures[index]
        procedure.valid_to = build.day(build.to_on + dt.timedelta(days=2), build.to_on + dt.timedelta(days=120))
        procedure.status = "0"
        if build.rng.random() < 0.5:
            for service in procedure.services:
                service.valid_to = procedure.valid_to


def _fees(build: _Builder, in_force: list[int]) -> None:
    """Exactly the published number of procedures with a fee, every one payable online."""
    procedures, rng = build.procedures, build.rng
    online = [i for i in in_force if procedures[i].mucdo in (FULL, PARTIAL)]
    for index in [i for i in online if procedures[i].fee][build.target.with_fee :]:
        procedures[index].fee = 0
    missing = build.target.with_fee - sum(1 for i in in_force if procedures[i].fee)
    for index in build.pick([i for i in online if not procedures[i].fee and not procedures[i].known], missing):
        procedures[index].fee = int(rng.choice(FEES))
    for index in online:
        for service in procedures[index].services:
            # Some can be paid online although nothing is due: they are not part of the rate.
            service.payable = procedures[index].fee > 0 or rng.random() < 0.03
    for index in set(range(len(procedures))) - set(in_force):
        if rng.random() < 0.3:
            procedures[index].fee = int(rng.choice(FEES))


def _joined_up(build: _Builder, in_force: list[int]) -> None:
    target, procedures = build.target, build.procedures
    both = target.joined_both
    one = target.joined_one_level - both
    across = target.joined_across - both
    chosen = build.pick(in_force, one + across + both)
    for position, index in enumerate(build.rng.permutation(chosen)):
        group = GROUPS[position % target.joined_groups] if position < 40 else ""
        kinds = ("CUNGCAP",) if position < one else ("CACCAP",) if position < one + across else ("CUNGCAP", "CACCAP")
        procedures[index].joined = [(kind, group) for kind in kinds]
    outside = [i for i in range(len(procedures)) if i not in set(in_force)]
    for position, index in enumerate(outside[::9]):
        procedures[index].joined = [("CUNGCAP" if position % 2 else "CACCAP", "NHOM-CU" if position % 5 == 0 else "")]


def _national(build: _Builder, in_force: list[int]) -> None:
    """Services that the national portal offers, counted at the cut-off."""
    current = [
        service
        for i in in_force
        for service in build.procedures[i].services
        if service.mucdo in (FULL, PARTIAL) and (service.valid_to is None or service.valid_to > build.to_on)
    ]
    for i in build.pick(list(range(len(current))), build.target.on_national_portal):
        current[i].national = True
    inside = set(in_force)
    for index, procedure in enumerate(build.procedures):
        for service in procedure.services:
            ended = service.valid_to is not None and service.valid_to <= build.to_on
            if ended or index not in inside:
                service.national = bool(build.rng.random() < 0.7)


def _feedback(period: ReportingPeriod, rng: np.random.Generator) -> list[dict[str, str]]:
    """One item on a regulation in the period, unsettled at its end; the rest is conduct or settled before."""
    from_on, to_on = period.from_on, period.to_on
    one_day = dt.timedelta(days=1)
    span = (to_on - from_on).days
    units = [row["code"] for row in read_csv("agencies_2024.csv")]
    items: list[tuple[dt.date, str, dt.date | None]] = []
    items.append((from_on + one_day * (span // 2), "QDHC", to_on + one_day * 9))
    items.append((to_on + one_day * 3, "QDHC", None))
    items.append((from_on - one_day * 40, "QDHC", from_on - one_day))
    for _ in range(9):
        received = from_on - one_day * int(rng.integers(60, 900))
        items.append((received, "QDHC", received + one_day * int(rng.integers(5, 55))))
    for _ in range(42):
        received = from_on + one_day * int(rng.integers(-400, span + 15))
        settled = received + one_day * int(rng.integers(2, 40)) if rng.random() < 0.85 else None
        items.append((received, "HVHC", settled))
    items.sort(key=lambda item: (item[0], item[1], item[2] or dt.date.max))
    return [
        {
            "MAPAKN": f"PAKN-{received:%y%m%d}-{serial:05d}",
            "NGAYTIEPNHAN": f"{received:%d/%m/%Y}",
            "PHANLOAI": kind,
            "MADONVI": str(rng.choice(units)),
            "NGAYXULYXONG": f"{settled:%d/%m/%Y}" if settled else "",
            "TRANGTHAI": "Đã xử lý" if settled else "Đang xử lý",
        }
        for serial, (received, kind, settled) in enumerate(items, start=1)
    ]


# --- as the portal sends it -----------------------------------------------------


def _date(day: dt.date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def _shape(number: str, turn: int) -> str:
    """One procedure in its three spellings."""
    return (number, f"{number}.000.00.00.H31", f"{number}.H31")[min(turn, 2)]


def portal_documents(catalogue: Catalogue, period: ReportingPeriod, rng: np.random.Generator) -> dict[str, list]:
    """Result objects by file name, the agencies excepted."""
    field_rows = read_csv("fields.csv")
    field_names = {row["code"]: row["name"] for row in field_rows}
    fields = [
        {"MALINHVUC": row["code"], "TENLINHVUC": row["name"], "MANGANH": row["code"].partition("-")[0]}
        for row in field_rows
    ]
    entries, details, services = [], [], []
    for index, procedure in enumerate(catalogue.procedures):
        touched = procedure.valid_to or procedure.valid_from + dt.timedelta(days=int(rng.integers(0, 30)))
        entries.append(
            {
                "MATTHC": procedure.portal_code,
                "TENTTHC": procedure.name,
                "TRANGTHAI": procedure.status,
                "NGAYCAPNHAT": _date(touched),
            }
        )
        details.append(_detail(procedure, index, field_names))
        for service in procedure.services:
            turn = int(rng.integers(0, 20))
            services.append(
                {
                    "MADVC": service.code,
                    "MATTHC": procedure.portal_code if turn > 2 else _shape(procedure.number, turn),
                    "MUCDO": service.mucdo,
                    "DUDIEUKIENTOANTRINH": "1" if service.mucdo == FULL else "0",
                    "TICHHOPDVCQG": "1" if service.national else "0",
                    "THANHTOANTRUCTUYEN": "1" if service.payable else "0",
                    "NGAYHIEULUC": _date(service.valid_from),
                    "NGAYHETHIEULUC": _date(service.valid_to),
                }
            )
    decisions = [
        {
            "IDQDCB": f"QDCB{serial:05d}",
            "SOQUYETDINH": decision.number,
            "NGAYQUYETDINH": _date(decision.signed_on),
            "TTHC": [
                {"MATTHC": _shape(number, int(rng.integers(0, 8))), "HINHTHUC": str(kind)}
                for number, kind in decision.entries
            ],
        }
        for serial, decision in enumerate(catalogue.decisions, start=1)
    ]
    return {
        "fields": fields,
        "procedures": entries,
        "procedure_details": details,
        "services": services,
        "decisions": decisions,
        "feedback": catalogue.feedback,
    }


def _detail(procedure: Procedure, index: int, field_names: dict[str, str]) -> dict[str, object]:
    amounts = [procedure.fee] if procedure.fee else [0] if index % 4 == 0 else []
    if procedure.fee and index % 6 == 0:
        amounts = [0, procedure.fee]
    channels = ("1", "2", "3") if procedure.mucdo in (FULL, PARTIAL) else ("1", "3")
    return {
        "MATTHC": procedure.portal_code,
        "TENTTHC": procedure.name,
        "MACOQUANCONGBO": "H31",
        "TRANGTHAI": procedure.status,
        "NGAYHIEULUC": _date(procedure.valid_from),
        "NGAYHETHIEULUC": _date(procedure.valid_to),
        "LINHVUCTHUCHIEN": [{"MALINHVUC": procedure.field, "TENLINHVUC": field_names[procedure.field]}],
        "CAPTHUCHIEN": [{"CAPTHUCHIEN": str(level)} for level in procedure.levels],
        "CACHTHUCTHUCHIEN": [
            {
                "KENH": channel,
                "THOIGIAN": [
                    {
                        "THOIGIANGIAIQUYET": procedure.days,
                        "DONVITINH": "Ngày làm việc",
                        "PHILEPHI": [
                            {"MAPHILEPHI": f"PLP-{procedure.number}-{n}", "SOTIEN": amount}
                            for n, amount in enumerate(amounts, start=1)
                        ],
                    }
                ],
            }
            for channel in channels
        ],
        "TTHCLIENTHONG": [{"LOAI": kind, "MANHOM": group} for kind, group in procedure.joined],
        "PHIDIAGIOI": "0",
        "NGANHDOC": procedure.vertical,
    }
