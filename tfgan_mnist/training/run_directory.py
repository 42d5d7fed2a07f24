"""The folder of a run: what lies where, who may write to it, what may be resumed."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: no lock there
    fcntl = None  # type: ignore[assignment]

from tfgan_mnist.config import Config, read_config
from tfgan_mnist.system.errors import UserError, path_errors
from tfgan_mnist.system.files import whole_file


class RunDirectory:
    """Paths of a run, and the checks before anything is written to them.

    Args:
      path: the folder, which need not exist yet.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.config = self.path / "config.flags"
        self.checkpoints = self.path / "checkpoints"
        self.metrics = self.path / "metrics.csv"
        self.samples = self.path / "samples"
        self.animation = self.path / "progress.gif"
        self.loss_plot = self.path / "loss.png"
        self.report = self.path / "metrics.json"
        self.report_plot = self.path / "metrics.png"
        self.saved_model = self.path / "saved_model"
        self.best_model = self.path / "saved_model_best"

    def check(self, config: Config) -> None:
        """Raises UserError if a run of this configuration may not start here.

        Touches nothing and needs no TensorFlow.
        """
        name = f"--run_dir={self.path}"
        with path_errors(name):
            self._check(config, name)

    def _check(self, config: Config, name: str) -> None:
        ancestor = next(p for p in [self.path, *self.path.parents] if p.exists())
        if not ancestor.is_dir():
            raise UserError(f"{name}: {ancestor} is a file; choose another folder")
        if not os.access(ancestor, os.W_OK | os.X_OK):
            raise UserError(f"{name}: no permission to write to {ancestor}")
        if not self.path.exists() or not any(self.path.iterdir()):
            return
        if not self.config.is_file():
            raise UserError(
                f"{name}: is not empty and holds no run (no config.flags); "
                "choose another folder, or empty this one"
            )
        if config.overwrite:
            return
        if not config.resume:
            raise UserError(
                f"{name}: holds a run; choose another folder, --resume or --overwrite"
            )
        try:
            there = read_config(self.config)
        except UserError as error:
            reason = str(error).removeprefix(f"--flagfile={self.config}: ")
            raise UserError(
                f"{self.config}: cannot be read ({reason}); choose another --run_dir, "
                "or --overwrite"
            ) from None
        if differences := config.differences(there):
            raise UserError(
                f"{name}: holds another run: {', '.join(differences)}; choose another "
                "--run_dir, or --overwrite"
            )

    def has_checkpoint(self) -> bool:
        """Whether a run here has saved something to go on from."""
        return any(self.checkpoints.glob("step_*.npz"))

    def read_config(self) -> Config:
        """The configuration of the run that is here. Raises UserError if there is none.

        Needs no TensorFlow.
        """
        name = f"--run_dir={self.path}"
        with path_errors(name):
            if not self.config.is_file():
                raise UserError(f"{name}: holds no run (no config.flags)")
        return read_config(self.config)

    @contextlib.contextmanager
    def open(self, config: Config) -> Iterator[list[str]]:
        """Makes the folder this run's own, with a lock, and writes its config.flags.

        Yields:
          the names of what ``--overwrite`` removed.

        Raises:
          UserError: as ``check``, or if another process trains here.
        """
        self.check(config)
        with path_errors(f"--run_dir={self.path}"):
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path, os.O_RDONLY)
        try:
            if fcntl:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise UserError(
                        f"--run_dir={self.path}: another process is training there"
                    ) from None
            removed = self._remove() if config.overwrite else []
            with whole_file(self.config) as unfinished:
                unfinished.write_text(config.to_flags())
            yield removed
        finally:
            os.close(lock)

    def _remove(self) -> list[str]:
        """Removes what a run leaves, and nothing else; the names of it."""
        patterns = (
            "checkpoints/*step_*",
            "samples/*step_*.png",
            "metrics.csv",
            "events.out.tfevents.*",
            "progress.gif",
            "loss.png",
            "metrics.png",
            "metrics.json",
            "scores.png",  # as earlier versions called them
            "scores.json",
            "saved_model",
            "saved_model_best",
        )
        removed = []
        for pattern in patterns:
            found = sorted(self.path.glob(pattern))
            for path in found:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if found:
                removed.append(pattern if "*" in pattern else found[0].name)
        for folder in (self.checkpoints, self.samples):
            with contextlib.suppress(OSError):
                folder.rmdir()
        return removed

    def truncate_metrics(self, step: int) -> None:
        """Forgets rows after a step, and a torn last one, before a run goes on."""
        if not self.metrics.is_file():
            return
        lines = self.metrics.read_text().splitlines(keepends=True)
        if not lines or not lines[0].endswith("\n"):
            self.metrics.unlink()
            return
        kept = lines[:1] + [
            line
            for line in lines[1:]
            if line.endswith("\n") and int(line.split(",", 1)[0]) <= step
        ]
        if kept != lines:
            with whole_file(self.metrics) as unfinished:
                unfinished.write_text("".join(kept))

    def append_metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a row to metrics.csv, under a header; it is on disk when this returns.

        Values are written with the digits that give the same float32 again. Names that
        the header lacks become columns, empty in the rows before; a column that the row
        lacks is empty in it.
        """
        names = self._metrics_names()
        new = [name for name in values if name not in names]
        if new:
            _, *rows = [*self.metrics.open(newline="")] if names else [""]
            names = [*(names or ["step"]), *new]
            with whole_file(self.metrics) as unfinished, unfinished.open("w") as file:
                file.write(",".join(names) + "\n")
                file.writelines(
                    row.rstrip("\n") + "," * len(new) + "\n" for row in rows
                )
        cells = [f"{values[name]:.9g}" if name in values else "" for name in names[1:]]
        with self.metrics.open("a", newline="") as file:
            file.write(",".join([str(step), *cells]) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _metrics_names(self) -> list[str]:
        """The columns of metrics.csv; none if there is no file."""
        if not self.metrics.is_file():
            return []
        with self.metrics.open(newline="") as file:
            return next(csv.reader(file))

    def read_metrics(self) -> dict[str, list[float]]:
        """The columns of metrics.csv by name, "step" first; NaN where one is empty."""
        if not self.metrics.is_file():
            return {}
        with self.metrics.open(newline="") as file:
            header, *rows = csv.reader(file)
        return {
            name: [float(row[i] or "nan") for row in rows]
            for i, name in enumerate(header)
        }

    def sample_path(self, step: int) -> Path:
        return self.samples / f"step_{step:07d}.png"

    def sample_paths(self, last_step: int) -> list[Path]:
        """The montages up to a step, oldest first: none that an earlier try left."""
        return [
            path
            for path in sorted(self.samples.glob("step_*.png"))
            if int(path.stem.removeprefix("step_")) <= last_step
        ]
