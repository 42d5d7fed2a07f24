"""The folder of a run: what lies where, who may write to it, what may be resumed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Len
from typing_extensions import TypedDict

try:
    import fcntl
except ImportError:  # Windows: no lock there
    fcntl = None  # type: ignore[assignment]

from tfgan_mnist.config import SHEETS, Config, read_config
from tfgan_mnist.serving.saved_model import check_outside
from tfgan_mnist.system import streams
from tfgan_mnist.system.errors import UserError, path_errors
from tfgan_mnist.system.files import atomic_file, read_file, tidy
from tfgan_mnist.system.records import DamagedError, Table, check, read_table
from tfgan_mnist.training.checkpoint import (
    CHECKPOINT_NAMES,
    Checkpoints,
    read_newest,
)

_SAMPLE = re.compile(r"step_(\d{7,10})\.png", re.ASCII)
_CHECKSUM = "# SHA-256 of all lines below: "
_FACTS = "# The data as the run found it: "


class Facts(TypedDict):
    """``DataSet.facts``, as JSON has them."""

    count: Annotated[int, Ge(0)]
    classes: Annotated[int, Ge(0)]
    class_names: list[str]
    image_size: Annotated[int, Ge(1)]
    channels: Literal[0, 1, 3]
    name: Annotated[str, Len(1)]


class RunDirectory:
    """Paths of a run, and the checks before anything is written to them.

    Args:
      path: the folder, which need not exist yet.
      warn: told, in a line, of each record that is damaged.
    """

    def __init__(self, path: str | Path, warn: Callable[[str], None] = streams.warn):
        self.path = Path(path)
        self.warn = warn
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

    def sheet(self, name: str) -> Path:
        """A picture of many samples that the game names."""
        return self.path / f"sheet_{name}.png"

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
        check_outside(self.path, name)
        writable = os.access(ancestor, os.W_OK | os.X_OK)
        if not writable and not self.seems_finished(config):
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
            there = self._read_config(read_file(self.config))
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
        if not self.has_checkpoint() and self._has_saved(there):
            raise UserError(
                f"{self.checkpoints}: is without the checkpoints that this run has "
                "saved; put them back, or start again with --overwrite"
            )

    def check_output(self, path: Path, name: str) -> None:
        """Raises UserError if a path to write to lies in a folder that a run replaces.

        Args:
          path: need not exist.
          name: the flag and its value.
        """
        path = path.resolve()
        own = (self.saved_model, self.best_model, self.checkpoints, self.samples)
        for folder in own:
            if path.is_relative_to(folder.resolve()):
                raise UserError(
                    f"{name}: lies in the run's own {folder}; choose another"
                )

    def has_checkpoint(self) -> bool:
        """Whether a run here has saved something to go on from."""
        return bool(Checkpoints(self.checkpoints, keep=1).paths())

    def _has_saved(self, config: Config) -> bool:
        """Whether a run here must have saved a checkpoint, by what else it left."""
        if self.saved_model.is_dir():
            return True
        with contextlib.suppress(DamagedError):
            steps = read_table(self.metrics).numbers().get("step", [])
            return max(steps, default=0) > config.checkpoint_every
        return False

    def seems_finished(self, config: Config) -> bool:
        """Whether the newest checkpoint has met a limit, so that nothing is written."""
        newest = None if config.overwrite else read_newest(self.checkpoints)
        if newest is None:
            return False
        return config.is_over(int(newest["step"]), float(newest["seconds"]))

    def read_config(self) -> Config:
        """The configuration of the run that is here. Raises UserError if there is none.

        Needs no TensorFlow.
        """
        name = f"--run_dir={self.path}"
        with path_errors(name):
            if not self.path.is_dir():
                raise UserError(f"{name}: there is no such folder; train first")
            if not self.config.is_file():
                raise UserError(f"{name}: holds no run (no config.flags)")
            content = read_file(self.config)
        first, _, rest = content.partition(b"\n")
        # Records of earlier versions have no checksum.
        expected = first.decode(errors="replace").partition(_CHECKSUM)[2]
        if expected and hashlib.sha256(rest).hexdigest() != expected:
            self.warn(
                f"{self.config}: is not what was written; a model of other flags may "
                "be another model"
            )
        return self._read_config(content)

    def _read_config(self, content: bytes) -> Config:
        """The configuration that a record holds.

        Its data is looked at only if the record does not tell what that is: if it is of
        an earlier version, or damaged there.
        """
        facts = None
        for line in content.decode(errors="replace").split("\n")[:2]:
            if line.startswith(_FACTS):
                with contextlib.suppress(ValueError, RecursionError, DamagedError):
                    facts = check(json.loads(line.removeprefix(_FACTS)), Facts)
                    facts["class_names"] = tuple(facts["class_names"])
        return read_config(self.config, facts)

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
        with self._locked():
            for folder in (self.path, self.checkpoints, self.samples):
                tidy(folder)
            removed = self._remove() if config.overwrite else []
            self._write_config(config)
            yield removed

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keeps other processes from training here; not on Windows."""
        if not fcntl:
            yield
            return
        with path_errors(f"--run_dir={self.path}"):
            lock = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise UserError(
                f"--run_dir={self.path}: another process is training there"
            ) from None
        try:
            yield
        finally:
            os.close(lock)

    def _write_config(self, config: Config) -> None:
        """Writes config.flags, unless it is as it should be or nothing can be written.

        A finished run has nothing to write; one that has will meet the error again.
        """
        facts = config.data.facts
        known = f"{_FACTS}{json.dumps(facts)}\n" if facts else ""
        flags = (known + config.to_flags()).encode()
        text = f"{_CHECKSUM}{hashlib.sha256(flags).hexdigest()}\n".encode() + flags
        if self.config.is_file() and read_file(self.config) == text:
            return
        try:
            with atomic_file(self.config) as unfinished:
                unfinished.write_bytes(text)
        except OSError as error:
            unwritable = error.errno in (errno.EROFS, errno.EACCES, errno.EPERM)
            if not (unwritable and self.has_checkpoint()):
                raise

    def _remove(self) -> list[str]:
        """Removes what a run leaves, and nothing else; the names of it."""
        patterns = (
            "metrics.csv",
            "metrics.csv.damaged",
            "events.out.tfevents.*",
            "progress.gif",
            "loss.png",
            *(f"sheet_{name}.png" for name in SHEETS),
            "metrics.png",
            "metrics.json",
            "scores.png",  # as earlier versions called them
            "scores.json",
            "saved_model",
            "saved_model_best",
        )
        of_steps = {
            "checkpoints/step_*": (self.checkpoints, CHECKPOINT_NAMES),
            "samples/step_*.png": (self.samples, _SAMPLE),
        }
        removed = []
        for pattern, (folder, names) in of_steps.items():
            found = [path for path in folder.glob("*") if names.fullmatch(path.name)]
            for path in found:
                path.unlink()
            removed += [pattern] if found else []
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

    def recover_metrics(self, step: int, every: int, columns: Sequence[str]) -> None:
        """Keeps the rows up to a step before a run goes on, and says which are lost.

        What a killed process left after the step goes without a word. A file that is
        damaged stays beside it as metrics.csv.damaged.

        Args:
          step: of the checkpoint.
          every: steps between rows, at least.
          columns: that it must have.
        """
        try:
            found = read_table(self.metrics)
            if lacking := set(columns) - set(found.names) if found.rows else set():
                raise DamagedError(f"has another header, without {min(lacking)}")
        except DamagedError as damage:
            found = Table([], [], str(damage))
        kept = [row for row in found.rows if int(row[0]) <= step]
        there = {int(row[0]) for row in kept}
        lost = [at for at in range(every, step + 1, every) if at not in there]
        missing = found.flaw == "is missing"
        if lost or (found.flaw and not missing):
            flaw = found.flaw or "is not as it was written"
            loss = "no row is lost"
            if lost:
                loss = f"{len(lost)} rows up to step {lost[-1]:,} are lost, and missing"
                loss += " in plots and alarms"
            self.warn(f"{self.metrics}: {flaw}; {loss}")
        if found.flaw and not missing:
            os.replace(self.metrics, f"{self.metrics}.damaged")
        if found.names and (found.flaw or kept != found.rows or self._torn()):
            self._write_metrics(found.names, kept)

    def _torn(self) -> bool:
        """Whether the last row of metrics.csv lacks its end."""
        return not read_file(self.metrics).endswith(b"\n")

    def _write_metrics(self, names: list[str], rows: list[list[str]]) -> None:
        lines = [",".join(cells) + "\n" for cells in (names, *rows)]
        with atomic_file(self.metrics) as unfinished:
            unfinished.write_bytes("".join(lines).encode())

    def append_metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Adds a row to metrics.csv, under a header; it is on disk when this returns.

        Values are written with the digits that give the same float32 again. Names that
        the header lacks become columns, empty in the rows before; a column that the row
        lacks is empty in it.
        """
        there = read_file(self.metrics) if self.metrics.exists() else b""
        names = there.partition(b"\n")[0].decode(errors="replace").split(",")
        names = names if there else ["step"]
        new = [name for name in values if name not in names]
        names = [*names, *new]
        if new:
            rows = self._table().rows
            self._write_metrics(names, [row + [""] * len(new) for row in rows])
        cells = [f"{values[name]:.9g}" if name in values else "" for name in names[1:]]
        with self.metrics.open("ab") as file:
            file.write((",".join([str(step), *cells]) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())

    def amend_metrics(self, values: Mapping[str, float]) -> None:
        """Adds values to the last row of metrics.csv, which has none of these names."""
        table = self._table()
        names = [*table.names, *(name for name in values if name not in table.names)]
        rows = [row + [""] * (len(names) - len(row)) for row in table.rows]
        for name, value in values.items():
            rows[-1][names.index(name)] = f"{value:.9g}"
        self._write_metrics(names, rows)

    def _table(self) -> Table:
        """What metrics.csv holds; an OSError if somebody damages it meanwhile."""
        try:
            return read_table(self.metrics)
        except DamagedError as damage:
            text = f"was damaged meanwhile ({damage})"
            raise OSError(errno.EINVAL, text, str(self.metrics)) from None

    def read_metrics(self) -> dict[str, list[float]]:
        """The columns of metrics.csv by name, "step" first; NaN where one is empty.

        Rows that are damaged are left out, with a warning.
        """
        try:
            found = read_table(self.metrics)
        except DamagedError as damage:
            self.warn(f"{self.metrics}: {damage}; nothing of it is read")
            return {}
        if found.flaw and found.rows:
            self.warn(f"{self.metrics}: {found.flaw}; what is damaged is left out")
        return found.numbers()

    def sample_path(self, step: int) -> Path:
        return self.samples / f"step_{step:07d}.png"

    def sample_paths(self, last_step: int) -> list[Path]:
        """The montages up to a step, oldest first: none that an earlier try left."""
        found = {
            int(match[1]): path
            for path in self._samples()
            if (match := _SAMPLE.fullmatch(path.name))
        }
        return [found[step] for step in sorted(found) if step <= last_step]

    def foreign_samples(self) -> list[str]:
        """Names among the montages that look like theirs and are none."""
        names = [path.name for path in self._samples() if path.match("step_*.png")]
        return sorted(name for name in names if not _SAMPLE.fullmatch(name))

    def _samples(self) -> list[Path]:
        return [*self.samples.iterdir()] if self.samples.is_dir() else []
