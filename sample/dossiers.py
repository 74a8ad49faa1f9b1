"""Dossiers and their versions, drawn so that the state at the cut-off gives the calibrated table exactly.

Every dossier has an origin (where it stands in the period's balance) and an outcome (its state at the cut-off).
Dates follow from the two; versions follow from the dates. Moments are seconds of local wall-clock time since
1970.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from cchc.periods import ReportingPeriod
from sample.agencies import Agency, agencies
from sample.names import BUSINESS, applicants
from sample.procedures import Catalogue
from sample.targets import (
    DELETED,
    FULL,
    INFORMATION,
    LEVELS,
    NEWLY_FILED,
    NO_LEVEL,
    PARTIAL,
    RECEIVED_AFTER,
    REFUSED,
    SETTLED_BEFORE,
    LevelTarget,
    round_half_up,
)

DAY = 86_400
NEVER = -1
COUNTER, ONLINE, POST = 1, 2, 3
UNKNOWN_AGENCIES = ("H31.99", "H31.34.88")

# Origins.
IN_PERIOD, CARRIED, BEFORE, AFTER, FILED, TURNED_AWAY, GONE = range(7)
# Outcomes at the cut-off.
EARLY, ON_DAY, LATE, WITHDRAWN, PAUSED, OVERDUE, IN_TIME = range(7)

FIXED_HOLIDAYS = ((1, 1), (4, 30), (5, 1), (9, 2), (9, 3))
BUSINESS_AGENCIES = frozenset({"H31.04", "H31.05", "H31.06", "H31.09", "H31.18"})


def days_since_epoch(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days


@dataclass(frozen=True)
class Window:
    """The period and the days that the exports cover, as days since 1970."""

    from_day: int
    to_day: int
    first_export_day: int
    last_export_day: int

    @classmethod
    def of(cls, period: ReportingPeriod, first_export_on: dt.date, last_export_on: dt.date) -> Window:
        return cls(
            days_since_epoch(period.from_on),
            days_since_epoch(period.to_on),
            days_since_epoch(first_export_on),
            days_since_epoch(last_export_on),
        )

    @property
    def cut_off(self) -> int:
        """The first moment that no longer counts."""
        return (self.to_day + 1) * DAY


@dataclass
class Dossiers:
    """One array element per dossier; `NEVER` where a date is absent, 0 where a service level is."""

    level: np.ndarray
    origin: np.ndarray
    outcome: np.ndarray
    mucdo: np.ndarray
    online: np.ndarray
    explicit: np.ndarray = field(default_factory=lambda: np.empty(0))
    procedure: np.ndarray = field(default_factory=lambda: np.empty(0))
    agency: np.ndarray = field(default_factory=lambda: np.empty(0))
    channel: np.ndarray = field(default_factory=lambda: np.empty(0))
    filed: np.ndarray = field(default_factory=lambda: np.empty(0))
    received: np.ndarray = field(default_factory=lambda: np.empty(0))
    due: np.ndarray = field(default_factory=lambda: np.empty(0))
    finished: np.ndarray = field(default_factory=lambda: np.empty(0))
    static: pl.DataFrame = field(default_factory=pl.DataFrame)
    agency_codes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.level)


@dataclass
class Versions:
    """One array element per dossier version, in order of the moment."""

    dossier: np.ndarray
    status: np.ndarray
    moment: np.ndarray
    received: np.ndarray
    due: np.ndarray
    finished: np.ndarray
    handed_over: np.ndarray
    supplement: np.ndarray
    supplements: np.ndarray
    deleted: np.ndarray

    def __len__(self) -> int:
        return len(self.dossier)

    def take(self, rows: np.ndarray) -> Versions:
        return Versions(**{name: getattr(self, name)[rows] for name in self.__dataclass_fields__})


# --- who is there -----------------------------------------------------


def _carried_outcomes(target: LevelTarget) -> dict[int, int]:
    """How the dossiers carried over end; the received ones take the rest of the table."""
    left = target.carried_over
    counts = {}
    for outcome, wanted in (
        (WITHDRAWN, round_half_up(target.withdrawn * 0.15)),
        (PAUSED, round_half_up(target.paused * 0.4)),
        (OVERDUE, round_half_up(target.overdue * 0.4)),
    ):
        counts[outcome] = min(wanted, left)
        left -= counts[outcome]
    settled = round_half_up(left * 0.8)
    counts[IN_TIME] = min(left - settled, target.in_time)
    settled = left - counts[IN_TIME]
    counts[LATE] = min(round_half_up(target.late * 0.4), settled)
    counts[EARLY] = min(round_half_up(settled * 0.6), target.early)
    counts[ON_DAY] = settled - counts[LATE] - counts[EARLY]
    return counts


def _population(targets: Mapping[int, LevelTarget], scale: float, rng: np.random.Generator) -> Dossiers:
    parts: list[tuple[np.ndarray, ...]] = []

    def put(level: int, origin: int, outcome: np.ndarray, mucdo: np.ndarray, online: np.ndarray) -> None:
        size = len(outcome)
        parts.append((np.full(size, level), np.full(size, origin), outcome, mucdo, online))

    def classes(size: int, level: int) -> tuple[np.ndarray, np.ndarray]:
        target = targets[level]
        shares = np.array([target.full, target.partial, target.information], dtype=float)
        return rng.choice((FULL, PARTIAL, INFORMATION), size=size, p=shares / shares.sum()), rng.random(size) < 0.9

    for level in LEVELS:
        target = targets[level]
        total = {
            EARLY: target.early,
            ON_DAY: target.on_day,
            LATE: target.late,
            WITHDRAWN: target.withdrawn,
            PAUSED: target.paused,
            OVERDUE: target.overdue,
            IN_TIME: target.in_time,
        }
        carried = _carried_outcomes(target)
        received = {outcome: total[outcome] - carried.get(outcome, 0) for outcome in total}
        if min(received.values()) < 0 or min(carried.values()) < 0:
            raise ValueError(f"the calibrated table does not close at level {level}: {received}, {carried}")
        outcome = rng.permutation(np.repeat(list(received), list(received.values())))
        mucdo = np.repeat((FULL, PARTIAL, INFORMATION), (target.full, target.partial, target.information))
        # A handful of information-only services are asked for online all the same.
        odd = min(target.information, max(1, round_half_up(target.information * 0.004)))
        online = np.repeat(
            (True, False, True, False, True, False),
            (
                target.full_online,
                target.full - target.full_online,
                target.partial_online,
                target.partial - target.partial_online,
                odd,
                target.information - odd,
            ),
        )
        put(level, IN_PERIOD, outcome, mucdo, online)
        put(
            level,
            CARRIED,
            np.repeat(list(carried), list(carried.values())),
            *classes(target.carried_over, level),
        )

    def extra(origin: int, count: int, outcomes: tuple[int, ...], chances: tuple[float, ...]) -> None:
        size = max(12, round_half_up(count * scale))
        for level, part in zip(LEVELS, np.array_split(np.arange(size), 3), strict=True):
            outcome = rng.choice(outcomes, size=len(part), p=chances)
            outcome[: len(outcomes)] = outcomes[: len(part)]
            put(level, origin, outcome, *classes(len(part), level))

    extra(BEFORE, SETTLED_BEFORE, (EARLY, ON_DAY, LATE, WITHDRAWN), (0.6, 0.33, 0.02, 0.05))
    extra(AFTER, RECEIVED_AFTER, (EARLY, ON_DAY, IN_TIME), (0.3, 0.3, 0.4))
    extra(FILED, NEWLY_FILED, (IN_TIME,), (1.0,))
    extra(TURNED_AWAY, REFUSED, (IN_TIME,), (1.0,))
    extra(GONE, DELETED, (EARLY, ON_DAY, LATE), (0.5, 0.4, 0.1))
    strange = np.array([EARLY, EARLY, ON_DAY, LATE, WITHDRAWN, IN_TIME])
    put(0, IN_PERIOD, strange, np.full(len(strange), INFORMATION), np.zeros(len(strange), dtype=bool))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    level, origin, outcome, mucdo, online = columns
    return Dossiers(
        level.astype(np.int8), origin.astype(np.int8), outcome.astype(np.int8), mucdo.astype(np.int8), online
    )


# --- days -----------------------------------------------------


class _Calendar:
    """Working days, and where the period lies among them."""

    def __init__(self, window: Window) -> None:
        days = np.arange(window.from_day - 500, window.to_day + 500)
        weekday = (days + 3) % 7
        dates = days.astype("datetime64[D]")
        month_day = {(m, d) for m, d in FIXED_HOLIDAYS}
        text = np.datetime_as_string(dates, unit="D")
        holiday = np.array([(int(t[5:7]), int(t[8:10])) in month_day for t in text])
        self.days = days[(weekday < 5) & ~holiday]
        self.base = int(np.searchsorted(self.days, window.from_day, side="left"))
        self.last = int(np.searchsorted(self.days, window.to_day, side="right")) - 1
        self.before_to = int(np.searchsorted(self.days, window.to_day, side="left")) - 1
        self.from_to = self.before_to + 1
        self.exports_from = int(np.searchsorted(self.days, window.first_export_day, side="left"))
        self.exports_to = int(np.searchsorted(self.days, window.last_export_day, side="right")) - 1
        self.length = self.last - self.base + 1


def _processing_days(level: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Working days between reception and result: long for land at districts, mostly none at communes."""
    size = len(level)
    days = np.floor(rng.gamma(1.6, 3.2, size))
    days = np.where(level == 2, np.floor(rng.gamma(1.5, 4.5, size)), days)
    days = np.where(level == 3, np.where(rng.random(size) < 0.66, 0, np.floor(rng.gamma(1.2, 1.8, size))), days)
    return days.astype(np.int64)


def _days(dossiers: Dossiers, window: Window, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Day of reception, due day and last day (finish or withdrawal, also one after the cut-off), or NEVER."""
    calendar = _Calendar(window)
    size = len(dossiers)
    origin, outcome = dossiers.origin, dossiers.outcome
    settled = outcome <= LATE
    work = np.minimum(_processing_days(dossiers.level, rng), calendar.length - 1)
    work = np.where(outcome == LATE, np.clip(work, 2, max(calendar.length - 1, 2)), work)
    delay = 1 + np.floor(rng.gamma(1.2, 2.5, size)).astype(np.int64)
    u = rng.random(size)
    recent = np.floor(rng.exponential(12.0, size)).astype(np.int64)

    # Received within the period and over within it.
    start = calendar.base + np.floor(u * (calendar.length - work)).astype(np.int64)
    end = start + work
    # Open at the end: paused at any time, overdue some days ago, in time lately.
    start = np.where(outcome == PAUSED, calendar.base + np.floor(u * calendar.length).astype(np.int64), start)
    overdue_due = np.maximum(calendar.before_to - recent % max(calendar.length - 1, 1), calendar.base)
    start = np.where(outcome == OVERDUE, np.maximum(calendar.base, overdue_due - work), start)
    start = np.where(outcome == IN_TIME, np.maximum(calendar.base, calendar.last - recent), start)

    carried = origin == CARRIED
    earlier = np.maximum(calendar.base - 1 - recent - work, calendar.base - 120)
    start = np.where(carried, np.minimum(earlier, calendar.base - 1), start)
    end = np.where(carried, np.minimum(calendar.base + recent // 2, calendar.last), end)

    before = origin == BEFORE
    ended_before = calendar.exports_from + np.floor(u * (calendar.base - calendar.exports_from)).astype(np.int64)
    end = np.where(before, ended_before, end)
    start = np.where(before, end - work, start)

    after = origin == AFTER
    span = max(calendar.exports_to - calendar.last, 1)
    start = np.where(after, calendar.last + 1 + np.floor(u * span).astype(np.int64), start)
    end = np.where(after, start + np.minimum(work, 5), end)

    due = np.where(outcome == EARLY, end + delay, end)
    # A late one was due on or after its day of reception, where there is room.
    due = np.where(outcome == LATE, np.maximum(end - delay, start), due)
    due = np.where(np.isin(outcome, (WITHDRAWN, PAUSED)), start + work + 5, due)
    due = np.where(outcome == OVERDUE, overdue_due, due)
    due = np.where(outcome == IN_TIME, np.maximum(start + work, calendar.from_to) + delay - 1, due)
    # Still open at the cut-off: over some days after it, or not yet at the end of the exports.
    open_now = (outcome >= PAUSED) & ~after
    end = np.where(open_now, calendar.last + 1 + recent // 3, end)

    received_day = calendar.days[start]
    due_day = calendar.days[np.maximum(due, 0)]
    end_day = calendar.days[end]
    over = settled | (outcome == WITHDRAWN) | (open_now & (rng.random(size) < 0.55))
    end_day = np.where(over, end_day, NEVER)
    may_lack_due = np.isin(outcome, (ON_DAY, IN_TIME, WITHDRAWN, PAUSED))
    due_day = np.where(may_lack_due & (rng.random(size) < 0.025), NEVER, due_day)

    # Edges of the rules that chance alone would rarely reach.
    own = origin == IN_PERIOD
    _first(own & (outcome == IN_TIME), 4, lambda rows: due_day.__setitem__(rows, window.to_day))
    _first(
        own & (outcome == OVERDUE) & (received_day < window.to_day),
        3,
        lambda rows: due_day.__setitem__(rows, window.to_day - 1),
    )
    late = own & (outcome == LATE)
    _first(late, max(1, int(late.sum()) // 20), lambda rows: due_day.__setitem__(rows, received_day[rows] - 2))
    return received_day, due_day, end_day


def _first(mask: np.ndarray, count: int, act: Callable[[np.ndarray], None]) -> None:
    rows = np.flatnonzero(mask)[:count]
    if len(rows):
        act(rows)


def _moments(dossiers: Dossiers, window: Window, rng: np.random.Generator) -> None:
    """Fill in the moments of filing, reception, due and finish."""
    size = len(dossiers)
    received_day, due_day, end_day = _days(dossiers, window, rng)
    own, outcome = dossiers.origin == IN_PERIOD, dossiers.outcome
    received = received_day * DAY + _office_hours(size, rng)
    finished = end_day * DAY + _office_hours(size, rng)
    same_day = end_day == received_day
    finished = np.where(same_day, received + rng.integers(600, 12_000, size), finished)
    finished = np.where(end_day == NEVER, NEVER, finished)
    due = np.where(due_day == NEVER, NEVER, due_day * DAY + 17 * 3_600)

    # Midnight of the first day; half an hour before midnight of the last day.
    def at_midnight(rows: np.ndarray) -> None:
        received[rows] = window.from_day * DAY

    def last_evening(rows: np.ndarray) -> None:
        finished[rows] = window.to_day * DAY + 23 * 3_600 + 30 * 60
        due[rows] = window.to_day * DAY + 17 * 3_600

    middle = (received_day > window.from_day) & (received_day < window.to_day)
    _first(own & middle & (outcome == EARLY), 6, at_midnight)
    _first(own & middle & (outcome == ON_DAY) & (dossiers.level > 0), 8, last_evening)

    online = dossiers.online
    waited = np.where(online, np.floor(rng.exponential(20_000, size)), rng.integers(0, 900, size)).astype(np.int64)
    filed = received - waited
    # What is only filed, or turned away, was filed on a day of the period.
    span = window.to_day - window.from_day + 1
    any_day = (window.from_day + rng.integers(0, span, size)) * DAY + rng.integers(6 * 3_600, 22 * 3_600, size)
    alone = dossiers.origin == FILED
    lately = any_day - np.minimum(0, any_day - (window.to_day - 20) * DAY)
    filed = np.where(alone, lately, filed)
    turned = dossiers.origin == TURNED_AWAY
    filed = np.where(turned, any_day, filed)
    received = np.where(turned, filed + rng.integers(600, 5_000, size), received)
    dossiers.filed, dossiers.received, dossiers.due, dossiers.finished = filed, received, due, finished


def _office_hours(size: int, rng: np.random.Generator) -> np.ndarray:
    morning = rng.integers(27_000, 41_400, size)
    afternoon = rng.integers(48_600, 61_200, size)
    return np.where(rng.random(size) < 0.58, morning, afternoon)


# --- what was asked for, and where -----------------------------------------------------


def _procedures(dossiers: Dossiers, catalogue: Catalogue, scale: float, rng: np.random.Generator) -> None:
    """Choose procedures so that exactly the active services get a dossier; mark the explicit service levels."""
    listed = catalogue.procedures
    weights = np.array([p.weight for p in listed])
    size = len(dossiers)
    procedure = np.full(size, -1, dtype=np.int64)
    fixed = np.zeros(size, dtype=bool)
    own = dossiers.origin == IN_PERIOD

    def draw(pool: list[int], count: int) -> np.ndarray:
        chances = weights[pool]
        return np.array(pool)[rng.choice(len(pool), size=count, p=chances / chances.sum())]

    for (level, mucdo), active in catalogue.active.items():
        counter_only = catalogue.counter_only[level, mucdo]
        with_online = [i for i in active if i not in set(counter_only)]
        here = (dossiers.level == level) & (dossiers.mucdo == mucdo)
        # A district also receives for procedures of the province: the agency decides the level.
        shared = [i for i in catalogue.active[1, mucdo] if 2 in listed[i].levels] if level == 2 else []
        shared = [i for i in shared if i not in set(catalogue.counter_only[1, mucdo])]
        for online in (True, False):
            rows = np.flatnonzero(own & here & (dossiers.online == online))
            must = np.array(with_online if online else counter_only, dtype=np.int64)
            if not online and len(must):
                must = np.repeat(must, rng.integers(1, max(2, min(6, len(rows) // len(must) + 1)), len(must)))
            if len(must) > len(rows):
                raise ValueError(f"too few dossiers for the active services at level {level}, service level {mucdo}")
            procedure[rows] = np.concatenate([must, draw([*with_online, *shared], len(rows) - len(must))])
            fixed[rows[: len(must)]] = True
        # Dossiers that are not received in the period also touch services that no received one does.
        rows = np.flatnonzero(~own & here)
        idle = catalogue.idle[level, mucdo]
        procedure[rows] = draw(active, len(rows))
        if idle:
            some = rows[rng.random(len(rows)) < 0.2]
            procedure[some] = rng.choice(idle, len(some))
    for level in (0, *LEVELS):
        rows = np.flatnonzero((dossiers.level == level) & (dossiers.mucdo == INFORMATION))
        procedure[rows] = draw(catalogue.information[level or 1], len(rows))
        if level == 1 and catalogue.gone:
            old = rows[(rng.random(len(rows)) < 0.5) & np.isin(dossiers.origin[rows], (BEFORE, GONE))]
            procedure[old] = rng.choice(catalogue.gone, len(old))

    explicit = rng.random(size) < 0.65
    choice = _Choice(dossiers, catalogue, procedure, fixed, explicit, own)
    _replace(choice, max(1, min(40, round_half_up(25 * scale))))
    _disagree(choice, rng)
    _forget(choice)
    # Nothing in the portal says that these are information only, so the export must.
    plain = np.array([p.mucdo for p in listed])
    without = (dossiers.mucdo == INFORMATION) & (procedure >= 0) & (plain[np.maximum(procedure, 0)] != INFORMATION)
    gone = np.isin(procedure, catalogue.gone)
    explicit[without & gone] = True
    explicit[dossiers.level == 0] = True
    # Finished online although the level says information only: loads with a warning.
    explicit[own & (dossiers.mucdo == INFORMATION) & dossiers.online & (procedure >= 0)] = True
    dossiers.procedure, dossiers.explicit = procedure, explicit


def _free(mask: np.ndarray, fixed: np.ndarray, count: int, what: str) -> np.ndarray:
    rows = np.flatnonzero(mask & ~fixed)[:count]
    if len(rows) == 0 and count:
        raise ValueError(f"no dossier left for {what}")
    fixed[rows] = True
    return rows


@dataclass
class _Choice:
    """Procedures being chosen: `fixed` rows carry a meaning that a later step must not overwrite."""

    dossiers: Dossiers
    catalogue: Catalogue
    procedure: np.ndarray
    fixed: np.ndarray
    explicit: np.ndarray
    own: np.ndarray


def _replace(choice: _Choice, each: int) -> None:
    """Dossiers before and after the day a full service replaced a partial one, with a blank level."""
    dossiers, catalogue, fixed, own = choice.dossiers, choice.catalogue, choice.fixed, choice.own
    here = own & (dossiers.level == 1) & dossiers.online
    for index in catalogue.replaced:
        on = days_since_epoch(catalogue.replaced_on[index]) * DAY
        old = _free(here & (dossiers.mucdo == PARTIAL) & (dossiers.received < on), fixed, each, "a replaced service")
        new = _free(here & (dossiers.mucdo == FULL) & (dossiers.received >= on), fixed, each, "a new service")
        choice.procedure[np.concatenate([old, new])] = index
        choice.explicit[np.concatenate([old, new])] = False


def _disagree(choice: _Choice, rng: np.random.Generator) -> None:
    """The dossier says one level and its service another: the dossier is right."""
    dossiers, catalogue, fixed, own = choice.dossiers, choice.catalogue, choice.fixed, choice.own
    for level in LEVELS:
        for said, listed in ((FULL, PARTIAL), (PARTIAL, FULL)):
            others = [i for i in catalogue.active[level, listed] if i not in set(catalogue.counter_only[level, listed])]
            mask = own & (dossiers.level == level) & (dossiers.mucdo == said) & dossiers.online & ~fixed
            rows = np.flatnonzero(mask)[: int(mask.sum()) // 200]
            if len(rows) and others:
                choice.procedure[rows] = rng.choice(others, len(rows))
                choice.explicit[rows] = True
                fixed[rows] = True


def _forget(choice: _Choice) -> None:
    """A handful of procedures that the portal does not list, with and without a level on the dossier."""
    dossiers, fixed = choice.dossiers, choice.fixed
    departments = choice.own & (dossiers.level == 1)
    for turn, (mucdo, told, count) in enumerate(
        ((FULL, True, 2), (PARTIAL, True, 1), (INFORMATION, False, 3), (INFORMATION, True, 1))
    ):
        rows = _free(departments & (dossiers.mucdo == mucdo), fixed, count, "an unknown procedure")
        choice.procedure[rows] = -1 - turn % len(choice.catalogue.unknown_numbers)
        choice.explicit[rows] = told


def _places(dossiers: Dossiers, catalogue: Catalogue, window: Window, rng: np.random.Generator) -> None:
    """Receiving agency: the owner of the field at departments, any district, any commune of the day."""
    units = agencies()
    position = {unit.code: i for i, unit in enumerate(units)}
    codes = [unit.code for unit in units]
    size = len(dossiers)
    owners = np.array([position.get(p.agency, position["H31.01"]) for p in catalogue.procedures])
    departments = [
        i for i, unit in enumerate(units) if unit.level == 1 and unit.code not in ("H31", "H31.19", "H31.20")
    ]
    agency = rng.choice(departments, size)
    known = dossiers.procedure >= 0
    at_department = known & (dossiers.level == 1)
    agency[at_department] = owners[dossiers.procedure[at_department]]
    for level in (2, 3):
        first_day = dt.date(1970, 1, 1) + dt.timedelta(days=window.from_day)
        choices = [i for i, u in enumerate(units) if u.level == level and u.valid_on(first_day)]
        # Districts are gone since the reform of 2025; the stand-in keeps them, so that every form has rows.
        choices = choices or [i for i, unit in enumerate(units) if unit.level == level]
        chances = rng.dirichlet(np.full(len(choices), 6.0))
        rows = np.flatnonzero(dossiers.level == level)
        agency[rows] = np.array(choices)[rng.choice(len(choices), len(rows), p=chances)]
    _move_to_successor(agency, units, position, dossiers.received // DAY)
    strange = np.flatnonzero(dossiers.level == 0)
    agency[strange] = len(codes) + np.arange(len(strange)) % len(UNKNOWN_AGENCIES)
    dossiers.agency = agency
    dossiers.agency_codes = [*codes, *UNKNOWN_AGENCIES]


def _move_to_successor(
    agency: np.ndarray, units: tuple[Agency, ...], position: Mapping[str, int], day: np.ndarray
) -> None:
    """A commune that has been merged by the day of reception receives nothing: its successor does."""
    far = days_since_epoch(dt.date(2999, 1, 1))
    ends = np.array([days_since_epoch(u.valid_to) if u.valid_to and u.successors else far for u in units])
    heirs = np.array([position[u.successors[0]] if u.successors else i for i, u in enumerate(units)])
    for _ in range(2):
        moved = ends[agency] <= day
        agency[moved] = heirs[agency[moved]]


def _static(
    dossiers: Dossiers, catalogue: Catalogue, targets: Mapping[int, LevelTarget], rng: np.random.Generator
) -> pl.DataFrame:
    """Columns that stay the same over all versions of a dossier, as the export writes them."""
    size = len(dossiers)
    units = agencies()
    listed = catalogue.procedures
    numbers = [p.number for p in listed] + catalogue.unknown_numbers
    lookup = np.where(dossiers.procedure >= 0, dossiers.procedure, len(listed) - 1 - dossiers.procedure)
    fees = np.array([p.fee for p in listed] + [0] * len(catalogue.unknown_numbers))[lookup]
    fees = fees * np.where(fees <= 10_000, rng.integers(1, 4, size), 1)
    paid = np.where(fees == 0, 0, np.where(rng.random(size) < 0.9025, 1, 3))
    way = np.where(paid == 1, rng.choice(3, size, p=(0.796, 0.170, 0.034)), 3)
    dossiers.channel = np.where(dossiers.online, ONLINE, np.where(rng.random(size) < 0.07, POST, COUNTER))
    place = np.where(dossiers.channel == ONLINE, np.where(rng.random(size) < 0.2, 1, 2), 0)

    digitised = rng.random(size) < 0.99
    for level, target in targets.items():
        rows = np.flatnonzero((dossiers.origin == IN_PERIOD) & (dossiers.level == level))
        digitised[rows] = rng.permutation(np.arange(len(rows)) < round_half_up(len(rows) * target.digitised_share))

    people = applicants(max(50, int(size * 1.02)), rng)
    is_business = people["kind"].to_numpy() == BUSINESS
    businesses, others = np.flatnonzero(is_business), np.flatnonzero(~is_business)
    heavy = np.array([u.code in BUSINESS_AGENCIES for u in units] + [False] * len(UNKNOWN_AGENCIES))[dossiers.agency]
    chance = np.select([heavy, dossiers.level == 1, dossiers.level == 2], [0.75, 0.12, 0.05], 0.012)
    applicant = np.where(rng.random(size) < chance, rng.choice(businesses, size), rng.choice(others, size))
    told = np.where(dossiers.explicit, dossiers.mucdo, NO_LEVEL)

    def text(values: list[str], index: np.ndarray) -> pl.Series:
        return pl.Series(values, dtype=pl.String).gather(pl.Series(index.astype(np.uint32)))

    # The suffix of the procedure code depends on which screen the clerk used.
    spelling = rng.choice(3, size, p=(0.6, 0.25, 0.15))
    suffix = text([".H31", ".000.00.00.H31", ""], spelling)
    names = [u.name for u in units] + ["Đơn vị chưa có trong danh mục"] * len(UNKNOWN_AGENCIES)
    fields = [p.field for p in listed] + ["G99-KH99"] * len(catalogue.unknown_numbers)
    filed_day = dossiers.filed // DAY
    old_shape = (rng.random(size) < 0.12) & np.isin(dossiers.level, (1, 2))
    frame = pl.DataFrame(
        {
            "agency": text(dossiers.agency_codes, dossiers.agency),
            "day": pl.Series(filed_day.astype(np.int32)).cast(pl.Date).dt.strftime("%y%m%d"),
            "filed": dossiers.filed,
            "old_shape": old_shape,
            "row": np.arange(size, dtype=np.int32),
        }
    )
    frame = (
        frame.sort("filed", "row")
        .with_columns(serial=pl.int_range(1, pl.len() + 1).over("agency", "day").cast(pl.String).str.zfill(5))
        .sort("row")
    )
    prefix = (
        pl.when("old_shape")
        .then(pl.lit("000.00.") + pl.col("agency").str.slice(4) + pl.lit(".H31"))
        .otherwise("agency")
    )
    number = frame.select(pl.concat_str(prefix, pl.lit("-"), "day", pl.lit("-"), "serial")).to_series()
    person = people[pl.Series(applicant.astype(np.uint32))]
    return pl.DataFrame(
        {
            "MaHoSo": number,
            "MaTTHC": text(numbers, lookup) + suffix,
            "MaLinhVuc": text(fields, lookup),
            "MaDonVi": frame["agency"],
            "DonViXuLy": text(names, dossiers.agency),
            "KenhThucHien": dossiers.channel.astype(np.int8),
            "MucDo": _blank(told, NO_LEVEL),
            "LoaiDoiTuong": person["kind"],
            "ChuHoSo": person["ChuHoSo"],
            "SoGiayToChuHoSo": person["SoGiayToChuHoSo"],
            "SoDienThoai": person["SoDienThoai"],
            "Email": person["Email"],
            "DiaChi": person["DiaChi"],
            "NgayNopHoSo": dossiers.filed,
            "LePhi": fees.astype(np.int64),
            "DuocThanhToanTrucTuyen": paid.astype(np.int8),
            "KenhThanhToan": text(["DVCQG", "TINH", "KHAC", ""], way).replace("", None),
            "HoSoCoThanhPhanSoHoa": digitised.astype(np.int8),
            "KetQuaDienTu": (rng.random(size) < 0.86).astype(np.int8),
            "NoiNopHoSo": _blank(place, 0),
        }
    )


def _blank(values: np.ndarray, nothing: int) -> pl.Series:
    series = pl.Series(values.astype(np.int8))
    return pl.select(pl.when(series != nothing).then(series)).to_series()


# --- versions -----------------------------------------------------


class _History:
    """Collects versions in the order in which they happen, so that no two of a dossier share a moment."""

    def __init__(self, dossiers: Dossiers, rng: np.random.Generator) -> None:
        self.dossiers, self.rng = dossiers, rng
        size = len(dossiers)
        self.last = np.full(size, NEVER, dtype=np.int64)
        self.supplement = np.full(size, NEVER, dtype=np.int64)
        self.supplements = np.zeros(size, dtype=np.int8)
        self.parts: list[dict[str, np.ndarray]] = []

    def add(
        self,
        mask: np.ndarray,
        status: np.ndarray | int,
        moment: np.ndarray,
        finished: np.ndarray | None = None,
        handed_over: np.ndarray | None = None,
        *,
        received: bool | np.ndarray = True,
        deleted: bool = False,
        exact: bool = False,
    ) -> None:
        rows = np.flatnonzero(mask)
        lag = 0 if exact else self.rng.integers(0, 90, len(rows))
        at = np.maximum(moment[rows] + lag, self.last[rows] + 1)
        self.last[rows] = at
        size = len(rows)
        known = np.broadcast_to(np.asarray(received), len(self.last))[rows]
        nothing = np.full(size, NEVER, dtype=np.int64)
        self.parts.append(
            {
                "dossier": rows.astype(np.int32),
                "status": (np.full(size, status) if np.isscalar(status) else status[rows]).astype(np.int8),
                "moment": at,
                "received": np.where(known, self.dossiers.received[rows], NEVER),
                "due": np.where(known, self.dossiers.due[rows], NEVER),
                "finished": nothing if finished is None else finished[rows],
                "handed_over": nothing if handed_over is None else handed_over[rows],
                "supplement": self.supplement[rows].copy(),
                "supplements": self.supplements[rows].copy(),
                "deleted": np.full(size, deleted),
            }
        )

    def ask(self, mask: np.ndarray, moment: np.ndarray) -> None:
        """Note a request for supplements, shown from the next version on."""
        self.supplement[mask] = moment[mask]
        self.supplements[mask] += 1

    def versions(self, window: Window) -> Versions:
        columns = {name: np.concatenate([part[name] for part in self.parts]) for name in self.parts[0]}
        first, end = window.first_export_day * DAY, (window.last_export_day + 1) * DAY
        inside = np.flatnonzero((columns["moment"] >= first) & (columns["moment"] < end))
        order = inside[np.lexsort((columns["dossier"][inside], columns["moment"][inside]))]
        return Versions(**{name: column[order] for name, column in columns.items()})


def _versions(dossiers: Dossiers, window: Window, rng: np.random.Generator) -> Versions:
    size = len(dossiers)
    origin, outcome = dossiers.origin, dossiers.outcome
    received, finished, cut_off = dossiers.received, dossiers.finished, window.cut_off
    history = _History(dossiers, rng)
    chance = rng.random(size)
    alone, turned = origin == FILED, origin == TURNED_AWAY
    inside = ~alone & ~turned
    settled = inside & (outcome <= LATE)
    withdrawn = inside & (outcome == WITHDRAWN)
    paused = inside & (outcome == PAUSED)
    waiting = inside & (outcome >= OVERDUE)
    carried = origin == CARRIED
    last_known = np.where(finished == NEVER, received + 12 * DAY, finished)

    # 1 filed, 3 refused.
    history.add(
        (dossiers.online & (chance < 0.4)) | alone | (turned & (chance < 0.6)),
        1,
        dossiers.filed,
        received=False,
    )
    history.add(turned, 3, received, received=rng.random(size) < 0.5)

    # 2 received, 4 in process. What is carried over shows at least once in an export.
    in_process = carried | (inside & (rng.random(size) < 0.55))
    history.add(inside & ((rng.random(size) < 0.85) | (waiting & ~in_process)), 2, received)
    soon = received + np.minimum(rng.integers(300, 7_200, size), np.maximum((last_known - received) * 6 // 10, 1))
    shown = np.maximum(received // DAY, window.first_export_day + rng.integers(0, 20, size))
    shown = np.minimum(shown, window.from_day - 1) * DAY + _office_hours(size, rng)
    taken_up = np.where(carried, np.maximum(soon, shown), soon)
    history.add(in_process, 4, taken_up)

    # 5 supplement requested, 4 in process again.
    long = settled & (last_known - taken_up > 4 * DAY)
    supplemented = long & (rng.random(size) < 0.09)
    asked = taken_up + (last_known - taken_up) * 3 // 10
    history.ask(supplemented, asked)
    history.add(supplemented, 5, asked)
    history.add(supplemented, 4, taken_up + (last_known - taken_up) * 6 // 10)

    # Finished, then reopened: 10 → 4, the dates cleared.
    room = np.minimum(np.where(waiting, cut_off - 4 * 3_600, last_known), cut_off - 4 * 3_600) - taken_up
    reopened = (room > 2 * DAY) & ~supplemented & (origin <= CARRIED)
    reopened &= np.where(settled, rng.random(size) < 0.012, waiting & (rng.random(size) < 0.05))
    once = np.minimum(taken_up, cut_off - 3 * DAY) + np.maximum(room, 0) * 4 // 10
    history.add(reopened, 10, once, once, once)
    history.add(reopened, 4, once + np.maximum(room, 0) * 2 // 10)

    # 5, 6, 8 paused; a stopped one may carry a date that must not make it settled.
    low = np.maximum(received, window.first_export_day * DAY)
    pause_day = np.minimum((low // DAY) + rng.integers(0, 16, size), window.to_day)
    pause = np.where(pause_day == received // DAY, received + 7_200, pause_day * DAY + _office_hours(size, rng))
    kind = rng.choice((5, 6, 8), size, p=(0.6, 0.15, 0.25))
    history.ask(paused & (kind == 5), np.maximum(pause, history.last + 1))
    stopped_on = np.where((kind == 8) & (rng.random(size) < 0.35), np.maximum(pause, received), NEVER)
    history.add(paused, kind, pause, stopped_on)

    # 7 withdrawn, some without a date, some resumed and withdrawn again, some touched again later.
    twice = withdrawn & (origin <= CARRIED) & (finished - taken_up > 3 * DAY) & (rng.random(size) < 0.12)
    first_time = taken_up + (finished - taken_up) // 4
    history.add(twice, 7, first_time, np.where(rng.random(size) < 0.5, first_time, NEVER))
    history.add(twice, 4, taken_up + (finished - taken_up) // 2)
    dated = rng.random(size) < 0.6
    withdrawn_on = np.where(dated, finished, NEVER)
    history.add(withdrawn, 7, finished, withdrawn_on)
    # Withdrawn before the period without a date, touched within it: the first version of the run decides.
    touched = np.where(origin == BEFORE, window.from_day * DAY + rng.integers(2, 10, size) * DAY, finished + 6 * DAY)
    history.add(withdrawn & ((rng.random(size) < 0.15) | (origin == BEFORE)), 7, touched, withdrawn_on)

    # 9 finished, 10 handed over; what is handed over after the cut-off shows as finished at it.
    waited = rng.choice((0, 0, 0, 1, 1, 2, 4), size)
    handed = np.where(waited == 0, finished + rng.integers(300, 3_600, size), finished + waited * DAY)
    # What is deleted by the cut-off was handed over at once, so that the deletion is its last word.
    handed = np.where(origin == GONE, finished + 300, handed)
    collected = rng.random(size) < 0.94
    across = (handed + 90 >= cut_off) & (finished < cut_off)
    history.add(settled & ((rng.random(size) < 0.5) | ~collected | across), 9, finished, finished)
    history.add(settled & collected, 10, handed, finished, handed)

    # The clerk enters tomorrow's date: finished after the period, so open in it.
    ahead = waiting & (origin == IN_PERIOD) & (outcome == IN_TIME) & (received < window.to_day * DAY) & ~reopened
    ahead &= np.cumsum(ahead) <= 3
    tomorrow = np.full(size, cut_off + 8 * 3_600)
    history.add(ahead, 9, np.full(size, cut_off - 7 * 3_600), tomorrow)
    over_later = (paused | waiting) & (finished != NEVER) & ~ahead & (origin <= CARRIED)
    history.add(over_later, 9, finished, finished)
    history.add(over_later & collected, 10, handed, finished, handed)
    late_over = waiting & (origin == AFTER) & (finished != NEVER)
    history.add(late_over, 9, finished, finished)

    # After the cut-off: reopened, deleted. Neither may change the period.
    afterwards = cut_off + rng.integers(1, 9, size) * DAY + _office_hours(size, rng)
    stable = settled & (origin <= CARRIED) & (dossiers.level > 0)
    fate = rng.random(size)
    rows = np.flatnonzero(stable)
    fate[rows[:4]] = (0.0005, 0.0015, 0.0025, 0.0005)
    history.add(stable & (fate < 0.001), 4, afterwards)
    final = np.where(collected, 10, 9)
    shown_over = np.where(collected, handed, NEVER)
    history.add(stable & (fate >= 0.001) & (fate < 0.0014), final, afterwards, finished, shown_over, deleted=True)
    # Deleted and back before the cut-off: it counts. Deleted before it and back after it: it does not.
    back = stable & (fate >= 0.0014) & (fate < 0.0018) & (history.last < cut_off - 5 * DAY)
    if not back.any():
        back[np.flatnonzero(stable & (fate > 0.5) & (history.last < cut_off - 5 * DAY))[:1]] = True
    history.add(back, final, history.last + DAY, finished, shown_over, deleted=True)
    history.add(back, final, history.last + DAY, finished, shown_over)
    gone = origin == GONE
    removed = np.minimum(np.maximum(history.last, finished) + 3_600, cut_off - 1)
    history.add(gone, final, removed, finished, shown_over, deleted=True, exact=True)
    returned = gone & (np.cumsum(gone) % 8 == 1)
    history.add(returned, final, afterwards, finished, shown_over)
    return history.versions(window)


def build_dossiers(
    window: Window,
    catalogue: Catalogue,
    targets: Mapping[int, LevelTarget],
    scale: float,
    rng: np.random.Generator,
) -> tuple[Dossiers, Versions]:
    """The province's dossiers and every version of them within the days that the exports cover."""
    dossiers = _population(targets, scale, rng)
    _moments(dossiers, window, rng)
    _procedures(dossiers, catalogue, scale, rng)
    _places(dossiers, catalogue, window, rng)
    dossiers.static = _static(dossiers, catalogue, targets, rng)
    return dossiers, _versions(dossiers, window, rng)
