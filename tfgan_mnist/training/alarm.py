"""The alarm: notices collapse while it happens, and says so once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

PATIENCE = 3
"""Rows that must look bad one after another: a run may have a bad moment."""

_CALMER = "lower learning rates"
_SMOOTHER = " or an R1 penalty (--r1_weight=0.1)"  # where there is a D


class Side(Protocol):
    """What the alarm knows of a side of the game."""

    @property
    def name(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def contest(self) -> Sequence[str]: ...
    @property
    def won(self) -> float | None: ...
    @property
    def advice(self) -> str: ...


class Alarm:
    """Watches the losses and metrics of a run, a row at a time; rings once for each.

    One rings when it was bad in the last ``PATIENCE`` rows; a metric of variety only if
    it is no better in the last of them than in the first. Variety that was never there
    yet is not missed while the distance falls by a twentieth over those rows: such a
    run is still beginning.

    Args:
      sides: of the game; one that has won leaves the others nothing to learn.
      expected: by metric, the value below which samples lack variety.
      distance: the metric that falls as samples get better; empty if there is none.
      ring: is given the sentence.

    Attributes:
      rung: the sentences so far, by side or metric.
    """

    def __init__(
        self,
        sides: Sequence[Side],
        expected: Mapping[str, float],
        distance: str,
        ring: Callable[[str], None],
    ):
        self.sides = {side.name: side for side in sides if side.won is not None}
        self.won = {side.name: side.won for side in sides if side.won is not None}
        self.symbols = {side.name: side.symbol for side in sides}
        self.expected = expected
        self.distance = distance
        self.ring = ring
        self.rung: dict[str, str] = {}
        self._reached: set[str] = set()
        self._rows: list[tuple[int, Mapping[str, float]]] = []

    def replay(self, rows: Iterable[tuple[int, Mapping[str, float]]]) -> None:
        """Takes note of what an earlier process saw, and said."""
        ring, self.ring = self.ring, lambda sentence: None
        for step, row in rows:
            self(step, row)
        self.ring = ring

    def __call__(self, step: int, metrics: Mapping[str, float]) -> None:
        """Looks at a row of losses and metrics."""
        self._rows = [*self._rows[1 - PATIENCE :], (step, metrics)]
        for name, level in self.expected.items():
            if metrics[name] >= level:
                self._reached.add(name)
        levels = {**self.won, **self.expected}
        for name, bound in levels.items():
            if name not in self.rung and self._is_bad(name, bound):
                self.rung[name] = self._sentence(name, bound)
                self.ring(self.rung[name])

    def _value(self, row: Mapping[str, float], name: str) -> float:
        """A metric, or of a side's loss the terms that tell who is winning."""
        if name not in self.sides:
            return row[name]
        terms = [f"{name}_{term}" for term in self.sides[name].contest]
        known = [row[term] for term in terms if term in row]
        # A single term is the loss; what is missing was not bad.
        return sum(known) if known else row.get(name, math.inf)

    def _is_bad(self, name: str, level: float) -> bool:
        values = [self._value(row, name) for _, row in self._rows]
        if len(values) < PATIENCE or max(values) >= level:
            return False
        if name in self.sides:
            return True
        begins = name not in self._reached and self._approaches()
        return values[-1] <= values[0] and not begins

    def _approaches(self) -> bool:
        """Whether the samples still come nearer to the data."""
        if not self.distance:
            return False
        distances = [row[self.distance] for _, row in self._rows]
        return distances[-1] < 0.95 * distances[0]

    def _sentence(self, name: str, level: float) -> str:
        (first, _), *_, (last, row) = self._rows
        value = self._value(row, name)
        when = f"step {last:,}: at every evaluation since step {first:,} "
        helps = "what usually helps: "
        if name in self.sides:
            side = self.sides[name]
            others = [s for n, s in self.symbols.items() if n != name]
            return (
                f"{when}{side.symbol} has won (loss {value:.3g}, below {level:g}), and "
                f"{' and '.join(others)} learns nothing; {helps}{side.advice}"
            )
        if level >= 1.0:
            kind = name.split("_")[0]
            saw = f"{kind} were missing (now {value:.0f}; {level:.0f} are expected)"
        else:
            saw = f"samples were too alike ({name} is {value:.2g}; of real data: 1)"
        calmer = _CALMER + _SMOOTHER * (len(self.symbols) > 1)
        return f"{when}{saw}; {helps}{calmer}, averaged weights (--ema_decay=0.999)"
