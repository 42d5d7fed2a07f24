"""The alarm: notices collapse while it happens, and says so once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

PATIENCE = 3
"""Scores in a row that must look bad: a run may have a bad moment, or just begin."""

PENALTIES = ("r1", "r2", "gradient_penalty", "mismatched")
"""Terms of a loss, penalties and others, that do not say who is winning."""

_CALMER = "lower learning rates or an R1 penalty (--r1_weight=0.1)"
_ADVICE = {
    "discriminator": f"{_CALMER} for D, or more --generator_updates",
    "generator": "more --discriminator_updates, or a lower --generator_learning_rate",
}


class Alarm:
    """Watches the figures of a run, a row of them at a time; rings once for each.

    A figure rings when it was bad in the last ``PATIENCE`` rows; one of variety only if
    it is no better in the last of them than in the first. Variety that was never there
    yet is not missed while the distance falls by a twentieth over those rows: such a
    run is still beginning.

    Args:
      won: by side, "discriminator" or "generator", the mean loss, penalties aside,
        below which it has won, so that nothing is left to learn for the other.
      expected: by figure, the value below which samples lack variety.
      distance: the figure that falls as samples get better; empty if there is none.
      ring: is given the sentence.

    Attributes:
      rung: the sentences so far, by figure.
    """

    def __init__(
        self,
        won: Mapping[str, float],
        expected: Mapping[str, float],
        distance: str,
        ring: Callable[[str], None],
    ):
        self.won = won
        self.expected = expected
        self.distance = distance
        self.ring = ring
        self.rung: dict[str, str] = {}
        self._reached: set[str] = set()
        self._rows: list[tuple[int, Mapping[str, float]]] = []

    def replay(self, rows: list[tuple[int, Mapping[str, float]]]) -> None:
        """Takes note of what an earlier process saw, and said."""
        ring, self.ring = self.ring, lambda sentence: None
        for step, figures in rows:
            self(step, figures)
        self.ring = ring

    def __call__(self, step: int, figures: Mapping[str, float]) -> None:
        """Looks at a row with scores."""
        self._rows = [*self._rows[1 - PATIENCE :], (step, figures)]
        for name, level in self.expected.items():
            if figures[name] >= level:
                self._reached.add(name)
        for name, level in (self.won | self.expected).items():
            if name not in self.rung and self._is_bad(name, level):
                self.rung[name] = self._sentence(name, level)
                self.ring(self.rung[name])

    def _is_bad(self, name: str, level: float) -> bool:
        values = [_without_penalties(row, name) for _, row in self._rows]
        if len(values) < PATIENCE or max(values) >= level:
            return False
        if name in self.won:
            return True
        begins = name not in self._reached and self._nears()
        return values[-1] <= values[0] and not begins

    def _nears(self) -> bool:
        """Whether the samples still come nearer to the data."""
        if not self.distance:
            return False
        distances = [row[self.distance] for _, row in self._rows]
        return distances[-1] < 0.95 * distances[0]

    def _sentence(self, name: str, level: float) -> str:
        (first, _), *_, (last, figures) = self._rows
        value = _without_penalties(figures, name)
        when = f"step {last:,}: at every score since step {first:,} "
        helps = "what usually helps: "
        if name in self.won:
            side = "D" if name == "discriminator" else "G"
            other = "G" if side == "D" else "D"
            return (
                f"{when}{side} has won (loss {value:.3g}, below {level:g}), and "
                f"{other} learns nothing; {helps}{_ADVICE[name]}"
            )
        if level >= 1.0:
            figure = name.split("_")[0]
            saw = f"{figure} were missing (now {value:.0f}; {level:.0f} are expected)"
        else:
            saw = f"samples were alike ({name} is {value:.2g}, of real data 1)"
        return f"{when}{saw}; {helps}{_CALMER}, averaged weights (--ema_decay=0.999)"


def _without_penalties(figures: Mapping[str, float], name: str) -> float:
    """A figure; of a side's loss, what is left of it without its penalties."""
    return figures[name] - sum(figures.get(f"{name}_{p}", 0.0) for p in PENALTIES)
