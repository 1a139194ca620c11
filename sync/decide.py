"""The rule of recognition [plan II.2b]: enough points in all, and no indicator too low."""

from dataclasses import dataclass

INDICATORS = range(1, 11)


@dataclass(frozen=True)
class Rule:
    """Both numbers are settings of the year's programme."""

    min_total: int = 80
    min_each: int = 5


@dataclass(frozen=True)
class Outcome:
    """`unscored` and `low` name indicators; `total` counts what is scored."""

    total: int
    unscored: tuple[int, ...]
    low: tuple[int, ...]
    short_by: int

    @property
    def eligible(self) -> bool:
        return not self.unscored and not self.low and self.short_by == 0


def decide(scores: dict[int, int | None], rule: Rule) -> Outcome:
    """What the ten scores come to. Unscored is not 0: it is named, never counted as low."""
    given = {n: score for n in INDICATORS if (score := scores.get(n)) is not None}
    total = sum(given.values())
    return Outcome(
        total=total,
        unscored=tuple(n for n in INDICATORS if n not in given),
        low=tuple(n for n, score in given.items() if score < rule.min_each),
        short_by=max(0, rule.min_total - total),
    )
