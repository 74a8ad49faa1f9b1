"""The totals the stand-in province is calibrated to, and how they shrink or grow with the scale.

What was published for the first half of 2024 stands here as printed. What was not published (how many
dossiers were carried over, withdrawn or still open, at which level the online ones were filed) is chosen so
that the balance `carried over + received = settled + withdrawn + open` closes at every level and the rates of
the report's text come out: 78.5 % online at departments, 96 % at districts and communes, 98.8 % and 99.5 %
digitised.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LEVELS = (1, 2, 3)
FULL, PARTIAL, INFORMATION, NO_LEVEL = 4, 3, 2, 0

# Below this scale a cell of the table would hold fewer dossiers than the services that must occur in it.
SMALLEST_SCALE = 0.002
# Below this scale the portal shrinks too, so that a test need not fetch 2 000 procedures one by one.
SMALL_PORTAL_BELOW = 0.05
SMALL_PORTAL_FACTOR = 0.1


def round_half_up(value: float) -> int:
    """Round the way the reports do."""
    return math.floor(value + 0.5)


def apportion(total: int, shares: Sequence[float]) -> list[int]:
    """Split `total` into whole parts in proportion to `shares` (largest remainder)."""
    whole = sum(shares)
    exact = [total * share / whole for share in shares]
    parts = [math.floor(value) for value in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


@dataclass(frozen=True)
class LevelTarget:
    """What the receiving agencies of one level report for the period."""

    full: int
    full_online: int
    partial: int
    partial_online: int
    information: int
    carried_over: int
    settled: int
    late: int
    early: int
    withdrawn: int
    paused: int
    overdue: int
    digitised_share: float

    @property
    def received(self) -> int:
        return self.full + self.partial + self.information

    @property
    def on_day(self) -> int:
        return self.settled - self.early - self.late

    @property
    def in_time(self) -> int:
        still_open = self.received + self.carried_over - self.settled - self.withdrawn
        return still_open - self.paused - self.overdue


PUBLISHED_FULL, PUBLISHED_FULL_ONLINE = 82_892, 69_778
PUBLISHED_PARTIAL, PUBLISHED_PARTIAL_ONLINE = 126_114, 123_240
PUBLISHED_SETTLED = {1: 54_328, 2: 39_815, 3: 113_845}
PUBLISHED_ON_TIME = {1: 54_148, 2: 39_743, 3: 113_832}

# The third level takes what the published total leaves.
CHOSEN_FULL = {1: 38_000, 2: 14_500}
CHOSEN_FULL_OFFLINE = {1: 9_000, 2: 1_600}
CHOSEN_PARTIAL = {1: 9_300, 2: 31_406}
CHOSEN_PARTIAL_OFFLINE = {1: 1_170, 2: 600}
CHOSEN_INFORMATION = {1: 6_700, 2: 294, 3: 206}
CHOSEN_CARRIED_OVER = {1: 3_400, 2: 2_300, 3: 480}
CHOSEN_WITHDRAWN = {1: 640, 2: 560, 3: 290}
CHOSEN_PAUSED = {1: 520, 2: 1_400, 3: 310}
CHOSEN_OVERDUE = {1: 60, 2: 95, 3: 20}
CHOSEN_EARLY_SHARE = {1: 0.716, 2: 0.745, 3: 0.541}
CHOSEN_DIGITISED = {1: 0.988, 2: 0.995, 3: 0.995}

# Dossiers that no measure may count, each a trap for a careless reader.
NEWLY_FILED, REFUSED, DELETED, SETTLED_BEFORE, RECEIVED_AFTER = 900, 1_500, 120, 3_000, 4_000


def level_targets(scale: float) -> dict[int, LevelTarget]:
    """The calibrated table at `scale`; at scale 1 the published totals come out exactly."""
    if scale < SMALLEST_SCALE:
        raise ValueError(f"scale {scale} is too small: the smallest is {SMALLEST_SCALE}")

    def scaled(value: float) -> int:
        return round_half_up(value * scale)

    def by_level(total: int, chosen: Mapping[int, int]) -> dict[int, int]:
        first = {level: scaled(chosen[level]) for level in (1, 2)}
        return {**first, 3: scaled(total) - first[1] - first[2]}

    full = by_level(PUBLISHED_FULL, CHOSEN_FULL)
    partial = by_level(PUBLISHED_PARTIAL, CHOSEN_PARTIAL)
    full_offline = by_level(PUBLISHED_FULL, CHOSEN_FULL_OFFLINE)
    full_offline[3] = scaled(PUBLISHED_FULL) - scaled(PUBLISHED_FULL_ONLINE) - full_offline[1] - full_offline[2]
    partial_offline = by_level(PUBLISHED_PARTIAL, CHOSEN_PARTIAL_OFFLINE)
    partial_offline[3] = (
        scaled(PUBLISHED_PARTIAL) - scaled(PUBLISHED_PARTIAL_ONLINE) - partial_offline[1] - partial_offline[2]
    )
    targets = {}
    for level in LEVELS:
        settled = scaled(PUBLISHED_SETTLED[level])
        late = settled - min(settled, scaled(PUBLISHED_ON_TIME[level]))
        targets[level] = LevelTarget(
            full=full[level],
            full_online=full[level] - full_offline[level],
            partial=partial[level],
            partial_online=partial[level] - partial_offline[level],
            information=scaled(CHOSEN_INFORMATION[level]),
            carried_over=scaled(CHOSEN_CARRIED_OVER[level]),
            settled=settled,
            late=late,
            early=round_half_up((settled - late) * CHOSEN_EARLY_SHARE[level]),
            withdrawn=scaled(CHOSEN_WITHDRAWN[level]),
            paused=scaled(CHOSEN_PAUSED[level]),
            overdue=scaled(CHOSEN_OVERDUE[level]),
            digitised_share=CHOSEN_DIGITISED[level],
        )
    return targets


@dataclass(frozen=True)
class PortalTarget:
    """What the portal lists at the cut-off.

    Text and form of the half-year disagree on the fully online services (988 and 1 007): the form counts here,
    and the partial ones make up the text's total of 1 650.
    """

    procedures: tuple[int, int, int]
    services_full: int
    services_information: int
    procedures_without_service: int
    on_national_portal: int
    joined_one_level: int
    joined_across: int
    joined_both: int
    joined_groups: int
    with_fee: int
    vertical: tuple[tuple[str, int], ...]
    decisions: int
    published_new: int
    published_amended: int
    published_abolished: int
    active_services: int
    active_services_online: int
    replaced_services: int
    abolished_before: int
    not_yet_in_force: int
    suspended: int
    ended_after: int

    @property
    def in_force(self) -> int:
        return sum(self.procedures)

    @property
    def services_partial(self) -> int:
        return self.in_force - self.services_full - self.services_information - self.procedures_without_service


def portal_target(scale: float) -> PortalTarget:
    """Full size, or a tenth of it for scales under `SMALL_PORTAL_BELOW`."""
    factor = SMALL_PORTAL_FACTOR if scale < SMALL_PORTAL_BELOW else 1.0

    def scaled(value: int) -> int:
        return max(1, round_half_up(value * factor))

    return PortalTarget(
        procedures=(scaled(1_351), scaled(272), scaled(117)),
        services_full=scaled(1_007),
        services_information=scaled(60),
        procedures_without_service=scaled(30),
        on_national_portal=scaled(1_279),
        joined_one_level=scaled(99),
        joined_across=scaled(100),
        joined_both=scaled(3),
        joined_groups=4,
        with_fee=scaled(389),
        vertical=(("CONGAN", scaled(15)), ("BHXH", scaled(9)), ("DIENLUC", scaled(14))),
        decisions=scaled(61),
        published_new=scaled(284),
        published_amended=scaled(278),
        published_abolished=scaled(301),
        active_services=scaled(448),
        active_services_online=scaled(406),
        replaced_services=scaled(10),
        abolished_before=scaled(110),
        not_yet_in_force=scaled(16),
        suspended=scaled(12),
        ended_after=scaled(20),
    )
