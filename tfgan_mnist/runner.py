"""One run from its configuration to its SavedModel, resumed where it was left."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime
import functools
import io
import json
import math
import shutil
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image, ImageSequence

from tfgan_mnist import __version__, pretrained
from tfgan_mnist.build import (
    Training,
    build_evaluation,
    build_gan,
    build_picture,
    build_training,
    named_weights,
)
from tfgan_mnist.config import Config
from tfgan_mnist.evaluation import report
from tfgan_mnist.evaluation.protocols import Protocol
from tfgan_mnist.gans.gan import Batch, Side
from tfgan_mnist.model import Model, load
from tfgan_mnist.registry import GAMES
from tfgan_mnist.serving.reader import LoadedModel
from tfgan_mnist.serving.saved_model import check_own_model, check_saved_model
from tfgan_mnist.serving.writer import Writer
from tfgan_mnist.system import interrupts
from tfgan_mnist.system.errors import (
    NO_ROOM,
    NotFiniteError,
    RunStopped,
    UserError,
    WorkerLost,
    first_line,
    os_error,
)
from tfgan_mnist.system.files import atomic_file, read_file
from tfgan_mnist.system.records import DamagedError, read_json
from tfgan_mnist.system.runtime import gpus_without_bfloat16
from tfgan_mnist.system.streams import say, warn
from tfgan_mnist.training import hooks, loop
from tfgan_mnist.training.alarm import Alarm
from tfgan_mnist.training.checkpoint import (
    Checkpoints,
    State,
    read_newest,
    read_step,
    variables_of,
)
from tfgan_mnist.training.distribution import COLLAPSED, OVER, Team
from tfgan_mnist.training.run_directory import RunDirectory
from tfgan_mnist.training.transfer import Start
from tfgan_mnist.visual.animation import gif
from tfgan_mnist.visual.montage import montage, png
from tfgan_mnist.visual.plots import plot_curves, plot_panels

Export = Callable[[Path, dict[str, Any]], None]
Observer = Callable[[State, dict[str, float]], None]


@dataclasses.dataclass(frozen=True)
class Result:
    """What ``train`` leaves.

    Attributes:
      run_dir: where it all is.
      saved_model: the trained model's folder.
      step: steps made.
      seconds: time spent on them, resumed time included.
    """

    run_dir: Path
    saved_model: Path
    step: int
    seconds: float

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Losses and metrics by name, a number for each of the steps in "step".

        NaN where one was not measured; empty if nothing was logged.
        """
        columns = RunDirectory(self.run_dir).read_metrics()
        return {name: np.array(values) for name, values in columns.items()}

    @property
    def metrics(self) -> dict[str, float]:
        """The trained model's, by name; empty unless the run measures.

        Raises:
          UserError: if the file of them was damaged since.
        """
        directory = RunDirectory(self.run_dir)
        if not directory.report.exists():
            return {}
        try:
            found = _read_report(directory).get("metrics", {})
        except DamagedError as damage:
            raise UserError(
                f"{directory.report}: {damage}; give the run's command again, which "
                "writes it anew"
            ) from None
        return {name: one["mean"] for name, one in found.items()}

    @functools.cached_property
    def model(self) -> Model:
        """The trained model, loaded, to draw from and to measure."""
        return load(self.run_dir)


def run(
    config: Config,
    directory: RunDirectory,
    echo: Callable[[str], None] | None = None,
    own: Sequence[loop.Hook | Callable[[State], None]] = (),
    team: Team | None = None,
) -> Result:
    """Trains, or goes on, until the configuration's first limit; then saves the model.

    Args:
      config: what to train.
      directory: where.
      echo: what is done with each log line; by default it is printed, above the
        progress bar.
      own: the caller's hooks; a function is one every ``log_every`` steps.
      team: with whom it makes the steps; alone by default.

    Raises:
      UserError: if the data or the directory cannot be had; nothing was touched.
      RunStopped: if it was interrupted (after the last step: once it is finished), its
        losses or weights stopped being finite, or the disk is full; the last
        checkpoint is kept.
    """
    echo_or_print = echo or say
    team = team or Team()
    if config.mixed_precision == "bfloat16":
        for name in gpus_without_bfloat16():
            warn(f"{name} has no bfloat16; give --mixed_precision=float16")
    with interrupts.caught(*interrupts.ENDING) as interrupted:
        with team.strategy.scope():
            training = build_training(config)
        # Whatever it lacks is said before anything is trained.
        evaluate = build_evaluation(config, training) if config.evaluate_every else None
        checkpoints = Checkpoints(directory.checkpoints, config.keep_checkpoints, warn)
        state = State(training.variables)
        # Read before anything of this run is touched: it may lie inside it.
        start = None
        if config.init_from and (config.overwrite or not checkpoints.paths()):
            start = Start(config.init_from, training.variables, training.gan.frozen)
        with _as_stops(config, checkpoints, team), directory.open(config) as removed:
            restored = checkpoints.restore(state)
            export = exporter(config, training.variables)
            sides = training.gan.sides
            names = [side.name for side in sides]
            seen = directory.metrics.exists()
            directory.recover_metrics(state.step, config.log_every, names)
            _warn_of_lost_step(directory, state, restored)
            least = _least_distance(config, directory, training.protocol, state.step)
            flaws = _flaws(config, directory, state)
            for flaw in flaws:
                warn(f"{flaw}; it is written anew from {restored.name}")
            goes_on = bool(flaws) or not config.is_over(state.step, state.seconds)
            team.agree(state.step, 0 if goes_on else OVER, config.fingerprint)
            if goes_on:
                echo_or_print(_beginning(directory, state, removed, seen))
                if start and not restored:
                    start.assign(training.variables)
                    training.gan.renew(config.seed)
                    echo_or_print(start.sentence)
                saver = hooks.Saver(config.checkpoint_every, checkpoints)
                _train(
                    config,
                    directory,
                    training,
                    state,
                    evaluate,
                    export,
                    least,
                    saver,
                    interrupted,
                    echo,
                    own,
                    team,
                )
                _write_products(config, directory, sides, export, state)
                if config.evaluate_every:
                    _measure(directory, training.protocol, training.held_out)
    if not goes_on:
        echo_or_print(f"{directory.path}: was finished already{_larger(config, state)}")
    _say_what_is_there(config, directory, state, echo_or_print)
    if interrupted:
        raise RunStopped(
            f"{signal.Signals(interrupted[0]).name} came after the last step; the run "
            "is finished",
            exit_code=128 + interrupted[0],
        )
    return Result(directory.path, directory.saved_model, state.step, state.seconds)


@contextlib.contextmanager
def _as_stops(config: Config, checkpoints: Checkpoints, team: Team) -> Iterator[None]:
    """Turns what ends a run early into a RunStopped that says how to go on.

    Raises:
      RunStopped: for losses or weights that are not finite, a lost worker, and what
        the system refuses.
    """
    try:
        yield
    except NotFiniteError as error:
        raise RunStopped(
            f"{error}: the run cannot go on. {_kept(checkpoints)}; lower the "
            "learning rates, in another --run_dir or with --overwrite"
        ) from None
    except tf.errors.OpError as error:
        out_of_memory = isinstance(error, tf.errors.ResourceExhaustedError)
        if out_of_memory or team.cluster is None:
            raise
        raise WorkerLost(
            f"another worker was lost ({first_line(error)}). {_kept(checkpoints)}; "
            "start the same command on each worker to go on from there"
        ) from None
    except BrokenPipeError:  # who reads our lines has left: not the disk's fault
        raise
    except OSError as error:
        what, remedy = os_error(error)
        if error.errno in NO_ROOM:
            what = f"cannot write to {config.run_dir} ({what})"
        raise RunStopped(
            f"{what}. {_kept(checkpoints)}; {remedy}, then {_go_on(config)}"
        ) from error


def _say_what_is_there(
    config: Config, directory: RunDirectory, state: State, echo: Callable[[str], None]
) -> None:
    """The last lines: where everything is, how good, and which step was the best."""
    echo(
        f"{directory.path}: {state.step:,} steps in {hooks.duration(state.seconds)}; "
        f"see {directory.sample_path(state.step).relative_to(directory.path)}, "
        f"{directory.animation.name}, {directory.loss_plot.name} and "
        f"{directory.saved_model.name}/"
    )
    if config.evaluate_every:
        try:
            echo(report.table(_read_report(directory)))
        except DamagedError as damage:
            warn(f"{directory.report}: {damage}; its metrics are not shown")
        with contextlib.suppress(DamagedError):  # there is none, or that was said
            best = check_own_model(directory.best_model)
            distance = best.get("distance", {})
            least = ", ".join(f"{n} was {x:.4g}" for n, x in distance.items())
            if best["step"] != state.step:
                echo(
                    f"{directory.best_model.name}/ is of step {best['step']:,}, where "
                    f"{least}, the least that was measured on the way"
                )


def _go_on(config: Config) -> str:
    """How to resume; the flags that would prevent it are named."""
    hindrance = "--overwrite" if config.overwrite else "--noresume"
    without = f" without {hindrance}" if config.overwrite or not config.resume else ""
    return f"run the same command{without} to go on from there"


def _kept(checkpoints: Checkpoints) -> str:
    (*_, newest) = [None, *checkpoints.paths()]
    return f"{newest.name} is kept" if newest else "There is no checkpoint yet"


def _larger(config: Config, state: State) -> str:
    """How a run that is over could be lengthened; empty once its rates are 0."""
    if config.decay_steps and state.step >= config.decay_steps:
        return ""
    limits = config.step_limits.items()
    met = [f"--{name}" for name, limit in limits if state.step >= limit]
    if config.max_seconds and state.seconds >= config.max_seconds:
        met.append("--max_seconds")
    return f"; larger {' and '.join(met)} would lengthen it"


def _warn_of_lost_step(
    directory: RunDirectory, state: State, restored: Path | None
) -> None:
    """Says so if the run's model is of a step whose checkpoint is not there any more.

    A model is written after its checkpoint.
    """
    with contextlib.suppress(DamagedError):
        step = check_own_model(directory.saved_model)["step"]
        named = (directory.checkpoints / f"step_{step:07d}.damaged").exists()
        if restored and step > state.step and not named:
            warn(
                f"{directory.checkpoints}: that of step {step:,} is gone; going on "
                f"from {restored.name}"
            )


def _flaws(config: Config, directory: RunDirectory, state: State) -> list[str]:
    """What a run that is over should have left and has not, or not any more."""
    if not config.is_over(state.step, state.seconds):
        return []
    flaws = []
    try:
        step = check_own_model(directory.saved_model)["step"]
        if step != state.step:
            raise DamagedError(f"is of step {step:,}, not {state.step:,}")
    except DamagedError as damage:
        flaws.append(f"{directory.saved_model}: {damage}")
    pictures = [directory.sample_path(state.step), directory.animation]
    if directory.read_metrics():
        pictures.append(directory.loss_plot)
    for path in pictures:
        try:
            _read_picture(path)
        except DamagedError as damage:
            flaws.append(f"{path}: {damage}")
    if config.evaluate_every:
        try:
            if _read_report(directory).get("step") != state.step:
                raise DamagedError(f"is not of step {state.step:,}")
        except DamagedError as damage:
            flaws.append(f"{directory.report}: {damage}")
    return flaws


def _read_picture(path: Path) -> np.ndarray:
    """A picture's pixels; of an animation its last frame's.

    Raises:
      DamagedError: if it is not there, or cannot be read to its end.
    """
    try:
        content = read_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of a picture too large, say
            with Image.open(io.BytesIO(content)) as picture:
                for frame in ImageSequence.Iterator(picture):
                    frame.load()
                pixels = np.asarray(picture)
        if path.suffix == ".gif" and not content.endswith(b";"):
            raise ValueError("its end is missing")
    except FileNotFoundError:
        raise DamagedError("is missing") from None
    except Exception as error:  # a damaged file can raise anything
        raise DamagedError(f"cannot be read ({first_line(error)})") from None
    return pixels


def _read_report(directory: RunDirectory) -> dict[str, Any]:
    """What metrics.json holds. Raises DamagedError if it is no report, or not there."""
    found = read_json(directory.report, report.Report)
    if found is None:
        raise DamagedError("is missing")
    return found


def _least_distance(
    config: Config, directory: RunDirectory, protocol: Protocol, step: int
) -> float:
    """The distance of the best model so far, up to a step; infinite without one.

    A best model that was damaged is written anew if there is still a checkpoint of its
    step. If not, one line says that it is lost, and the best from here on is kept.
    """
    name = protocol.distance
    if not (config.evaluate_every and name and step):
        return math.inf
    measured = measured_rows(config, directory, protocol)
    rows = {at: row[name] for at, row in measured if at <= step}
    path = directory.best_model
    try:
        best = check_own_model(path)
        if best["step"] > step:  # of a step that is made again
            return min(rows.values(), default=math.inf)
        return best.get("distance", {}).get(name, min(rows.values(), default=math.inf))
    except DamagedError as damage:
        if not (rows or path.exists()):
            return math.inf
        at = min(rows, key=rows.get, default=0)
        arrays = read_step(directory.checkpoints, at)
        if arrays is None:
            warn(
                f"{path}: {damage}, and there is no checkpoint of its step; the best "
                "model so far is lost, the best from here on is kept"
            )
            return math.inf
        warn(f"{path}: {damage}; it is written anew from the checkpoint of step {at:,}")
        what_made_it = metadata(config, State({}, at, float(arrays["seconds"])))
        what_made_it["distance"] = {name: rows[at]}
        exporter(config, variables_of(arrays))(path, what_made_it)
        return rows[at]


def _beginning(
    directory: RunDirectory, state: State, removed: list[str], seen: bool
) -> str:
    """The first line of the log; ``seen``: whether a process before this one logged."""
    what = f"resuming at step {state.step:,}" if state.step else "training"
    if seen and not state.step:
        what = "starts again, as the last try ended before its first checkpoint"
    if removed:
        what += f" anew, removed {', '.join(removed)}"
    return f"{directory.path}: {what}"


def _train(
    config: Config,
    directory: RunDirectory,
    training: Training,
    state: State,
    evaluate: Callable[[], dict[str, float]] | None,
    export: Export,
    least: float,
    saver: hooks.Saver,
    interrupted: list[int],
    echo: Callable[[str], None] | None,
    own: Sequence[loop.Hook | Callable[[State], None]],
    team: Team,
) -> None:
    """Makes the steps that are left; the state is then of the last."""
    step = training.step
    events = hooks.EventFile(directory, state.step)
    symbols = _symbols(training.gan.sides)
    clock = hooks.Clock(
        state,
        config.batch_size,
        config.data.makes,
        config.last_step,
        config.max_seconds,
    )
    bar = hooks.Bar(state, clock, lambda: step.names, symbols)
    echo = echo or bar.echo
    alarm, observers = _observers(
        config,
        directory,
        training.protocol,
        training.gan.sides,
        least,
        export,
        echo,
    )
    log = hooks.Log(
        config.log_every, lambda: step.names, symbols, directory, events, clock, echo
    )
    picture = build_picture(config, training)
    watchers: list[Any] = [
        bar,
        # They see the losses since the last line, which the log then forgets.
        *(hooks.as_hook(hook, config.log_every) for hook in own),
        log,
        hooks.Pictures(config.sample_every, picture, directory, events),
        saver,
    ]
    if evaluate:
        evaluation = hooks.Evaluation(config.evaluate_every, evaluate, log, observers)
        watchers.insert(watchers.index(log), evaluation)

    def why_stop() -> int:
        if interrupted:
            return interrupted[0]
        return COLLAPSED if config.stop_on_collapse and alarm.rung else 0

    def advance(first: int, count: int) -> np.ndarray:
        try:
            return step.advance(first, count)
        except tf.errors.OpError:
            # TensorFlow would bury what is wrong with a file in words of its own.
            unreadable = getattr(training.batches, "unreadable", None)
            if unreadable is None:
                raise
            raise RunStopped(f"{unreadable}. {_kept(saver.checkpoints)}") from None

    try:
        reason = loop.run(
            advance,
            lambda: step.names,
            state,
            watchers,
            config.last_step,
            config.max_seconds,
            config.steps_per_call,
            why_stop,
            team.agree,
        )
        if reason == COLLAPSED:
            saver(state)
            (sentence, *_) = alarm.rung.values()
            raise RunStopped(
                f"stopped by --stop_on_collapse: {sentence}. {_kept(saver.checkpoints)}"
                "; --nostop_on_collapse goes on"
            )
        if reason:
            saver(state)
            name = signal.Signals(reason).name
            stopped = f"stopped by {name} at step {state.step:,}, saved"
            if state.step:
                bar.close()
                echo(
                    f"{stopped}; writing its pictures and model "
                    f"(a second {name} skips this)"
                )
                _write_products(config, directory, training.gan.sides, export, state)
            raise RunStopped(f"{stopped}; {_go_on(config)}", exit_code=128 + reason)
    finally:
        bar.close()
        events.close()


def _symbols(sides: Sequence[Side]) -> dict[str, str]:
    return {side.name: side.symbol for side in sides}


def _write_products(
    config: Config,
    directory: RunDirectory,
    sides: Sequence[Side],
    export: Export,
    state: State,
) -> None:
    """Writes animation, loss plot and model as things stand."""
    if frames := _frames(config, directory, state.step):
        with atomic_file(directory.animation) as unfinished:
            unfinished.write_bytes(gif(frames))
    columns = directory.read_metrics()
    curves = {s: columns[n] for n, s in _symbols(sides).items() if n in columns}
    if curves:
        with atomic_file(directory.loss_plot) as unfinished:
            plot_curves(columns["step"], curves, unfinished, "loss")
    export(directory.saved_model, metadata(config, state))
    for name in GAMES[config.game].sheets:
        images = LoadedModel(directory.saved_model).sheet(name, 1, SHEET_SIDE)
        with atomic_file(directory.sheet(name)) as unfinished:
            unfinished.write_bytes(png(montage(images)))


SHEET_SIDE = 8


def _frames(config: Config, directory: RunDirectory, step: int) -> list[np.ndarray]:
    """The montages up to a step that can be read and are of one shape."""
    frames: dict[int, np.ndarray] = {}
    flaws: dict[str, str] = {}
    for path in directory.sample_paths(step):
        try:
            frames[int(path.stem.removeprefix("step_"))] = _read_picture(path)
        except DamagedError as damage:
            flaws[path.name] = str(damage)
    shapes = collections.Counter(frame.shape for frame in frames.values())
    for at, frame in list(frames.items()):
        if frame.shape != shapes.most_common(1)[0][0]:
            flaws[directory.sample_path(at).name] = "is of another size"
            del frames[at]
    for at in range(0, step + 1, config.sample_every):
        if at not in frames:
            flaws.setdefault(directory.sample_path(at).name, "is missing")
    for name in directory.foreign_samples():
        flaws[name] = "does not belong to the run"
    if flaws:
        (name, flaw), *more = flaws.items()
        others = f", and {len(more)} more" if more else ""
        warn(
            f"{directory.samples / name}: {flaw}{others}; {directory.animation.name} "
            "leaves it out"
        )
    return list(frames.values())


def exporter(config: Config, variables: Mapping[str, Any]) -> Export:
    """(path, metadata) → saves the model as the variables are then.

    Weight averages take the place of weights. All is saved in float32, whatever it is
    trained in: a server may know nothing else.

    Args:
      config: whose.
      variables: variables or arrays by name, as a checkpoint has them.
    """
    made: list[Writer] = []  # by the first export: it takes a second

    def export(path: Path, what_made_it: dict[str, Any]) -> None:
        if not made:
            facts = config.data.facts  # the data may have gone meanwhile
            gan = build_gan(
                dataclasses.replace(config, mixed_precision="off", facts=facts)
            )
            made.append(Writer(gan, named_weights(gan.networks) | dict(gan.state)))
        (writer,) = made
        for name, variable in writer.variables.items():
            network, _, weight = name.partition("/")
            averaged = f"{network}_average/{weight}"
            variable.assign(variables.get(averaged, variables[name]))
        writer.write(path, what_made_it)

    return export


@contextlib.contextmanager
def model_of_run(run_dir: str | Path, best: bool = False) -> Iterator[Path]:
    """The folder of a run's SavedModel, while the context lasts.

    It is of the newest checkpoint, whether the run is finished, stopped or going on; or
    of the step where its distance to the data was least. Nothing is written to the run.

    Raises:
      UserError: if there is no run, no checkpoint, or no best model.
    """
    directory = RunDirectory(run_dir)
    name = f"--run_dir={run_dir}"
    if best:
        if not directory.best_model.is_dir():
            raise UserError(
                f"{name}: has no {directory.best_model.name}; a run with "
                "--evaluate_every keeps one"
            )
        with _copied(directory.best_model) as path:
            yield path
        return
    newest = read_newest(directory.checkpoints, warn)
    if newest is None:
        first = directory.read_config().checkpoint_every
        if directory.has_checkpoint():
            raise UserError(f"{name}: has no checkpoint that is whole")
        raise UserError(
            f"{name}: has no checkpoint yet; the first is of step {first:,}, or of the "
            "end"
        )
    written = None
    if directory.saved_model.exists():
        try:
            written = check_own_model(directory.saved_model)["step"]
        except DamagedError as damage:
            warn(f"{directory.saved_model}: {damage}; the checkpoint is read instead")
    if written == int(newest["step"]):
        with _copied(directory.saved_model) as path:
            yield path
        return
    state = State({}, int(newest["step"]), float(newest["seconds"]))
    variables = variables_of(newest)
    config = directory.read_config()
    misfit = f"{name}: its checkpoint does not fit its config.flags"
    with _written(config, variables, metadata(config, state), misfit) as path:
        yield path


@contextlib.contextmanager
def pretrained_model(name: str) -> Iterator[Path]:
    """The same of a model of the package, by its name.

    Raises:
      UserError: if there is no such model.
    """
    path = pretrained.find(name)
    what_made_it = pretrained.read_metadata(path)
    config, weights = Config(**what_made_it["flags"]), pretrained.read_weights(path)
    misfit = f"--pretrained={name}: its weights do not fit its flags"
    with _written(config, weights, what_made_it, misfit) as folder:
        yield folder


@contextlib.contextmanager
def _written(
    config: Config,
    variables: Mapping[str, Any],
    what_made_it: dict[str, Any],
    misfit: str,
) -> Iterator[Path]:
    """A SavedModel of variables, in a folder that is there while the context lasts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "saved_model"
        try:
            exporter(config, variables)(path, what_made_it)
        except (KeyError, ValueError) as error:
            raise UserError(f"{misfit} ({error})") from None
        yield path


@contextlib.contextmanager
def _copied(model: Path) -> Iterator[Path]:
    """A copy of a SavedModel that its run may be about to replace."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / model.name
        for attempt in range(COPY_ATTEMPTS):
            shutil.rmtree(path, ignore_errors=True)
            try:
                before = check_own_model(model)
                shutil.copytree(model, path)
                if before == check_own_model(path) == check_own_model(model):
                    break
            except (OSError, DamagedError) as error:  # replaced meanwhile
                if attempt == COPY_ATTEMPTS - 1:
                    what = os_error(error)[0] if isinstance(error, OSError) else error
                    raise UserError(
                        f"{model}: {what}; the run's command writes it anew"
                    ) from None
            time.sleep(0.2)
        check_saved_model(path, f"--run_dir={model.parent}")
        yield path


COPY_ATTEMPTS = 5


def _observers(
    config: Config,
    directory: RunDirectory,
    protocol: Protocol,
    sides: Sequence[Side],
    least: float,
    export: Export,
    echo: Callable[[str], None],
) -> tuple[Alarm, list[Observer]]:
    """What looks at each evaluation: the alarm, and the keeper of the best model.

    Both know what the run's earlier processes saw.
    """
    history = measured_rows(config, directory, protocol)
    alarm = Alarm(
        sides,
        protocol.expected,
        protocol.distance,
        lambda sentence: echo(f"alarm: {sentence}"),
    )
    alarm.replay(history)
    observers: list[Observer] = [lambda state, row: alarm(state.step, row)]
    if name := protocol.distance:

        def keep(state: State, distance: float) -> None:
            measured = {"distance": {name: distance}}
            export(directory.best_model, metadata(config, state) | measured)

        observers.append(hooks.Best(name, least, keep))
    return alarm, observers


def measured_rows(
    config: Config, directory: RunDirectory, protocol: Protocol
) -> list[tuple[int, dict[str, float]]]:
    """The rows of metrics.csv that an evaluation wrote, with their steps."""
    watched = {*protocol.expected, protocol.distance} - {""}
    columns = directory.read_metrics()
    rows = [
        {name: x for name, x in zip(columns, row, strict=True) if not math.isnan(x)}
        for row in zip(*columns.values(), strict=True)
    ]
    return [
        (int(row["step"]), row)
        for row in rows
        if config.evaluate_every and not row["step"] % config.evaluate_every
        if watched <= row.keys()
    ]


def _measure(directory: RunDirectory, protocol: Protocol, held_out: Batch) -> None:
    """Writes the finished model's metrics, and their curves over the run."""
    model = LoadedModel(directory.saved_model)
    if held_out:
        sources = held_out["sources"].numpy() * 0.5 + 0.5
        found = report.measure_translations(model, sources, protocol)
    else:
        found = report.measure(model, quick=True, protocol=protocol)
    with atomic_file(directory.report) as unfinished:
        unfinished.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    columns = directory.read_metrics()
    curves = {name: columns[name] for name in found["metrics"] if name in columns}
    if curves:
        levels = {n: s["real"] for n, s in found["metrics"].items() if "real" in s}
        with atomic_file(directory.report_plot) as unfinished:
            plot_panels(columns["step"], curves, levels, unfinished, "step")


def metadata(config: Config, state: State) -> dict[str, Any]:
    """What made a model, for its reader; nothing of the machine it was made on."""
    dataset = config.data.name or config.dataset
    flags = dataclasses.asdict(config) | {"dataset": dataset}
    for place in ("run_dir", "data_dir", "init_from", "judge", "address"):
        del flags[place]
    return {
        "recipe": config.recipe,
        "step": state.step,
        "seconds": round(state.seconds, 1),
        "dataset": dataset,
        "classes": config.classes,
        **({"vocabulary": words} if (words := config.vocabulary) else {}),
        **({"class_names": names} if (names := config.data.class_names) else {}),
        "translates": config.translated,
        "averaged_weights": bool(config.ema_decay),
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "tfgan_mnist": __version__,
        "tensorflow": tf.__version__,
        "flags": flags,
    }
