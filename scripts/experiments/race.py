"""Quality against time: recipes under the same wall-clock budgets, one after another.

    python scripts/experiments/race.py --data_dir=FOLDER [CONTESTANT ...]
        [--seeds=1-3] [--seconds=900] [--output=samples/race] [--address=CLUSTER]

Each contestant trains on real MNIST, from each seed, in a process of its own. The clock
starts with the first step, whose compilation it counts, as it does what it takes to
learn clusters, and stands still while 10,000 samples are judged. ``dcgan_plain`` and
``dcgan_tutorial_plain`` are the published networks and schedules in a plain loop
(plain_loop.py) under TensorFlow's defaults; the others are recipes under this package's
step. What was found of a contestant and seed takes the place of what was there in
samples/race/race.json; the curve and the strip of pictures stand beside it, and the
table, by ``python scripts/experiments/results.py --only_write``, in docs/benchmarks.md.
With ``--at_once`` or ``--address`` the runs are tasks of Ray; their times compare only
if each has the cores to itself.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import (
    ROOT,
    RunsFlags,
    markdown,
    read_record,
    read_words,
    stale_note,
    starred,
    write_record,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.engine import each
from tfgan_mnist.system.errors import RunStopped, UserError, path_errors
from tfgan_mnist.system.flags import flag, parse_numbers
from tfgan_mnist.system.tables import spread

RACE = ROOT / "samples" / "race"
PLAIN = "_plain"

# Seconds of training, each.
CONTESTANTS = {
    "dcgan_tutorial_plain": 900,
    "dcgan_plain": 900,
    "dcgan_tutorial": 2400,
    "dcgan": 900,
    "dcgan_fast": 900,
    "cdcgan_fast": 300,
}
MARKS = [6, 9, 12, 16, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900]
MARKS += [1200, 1500, 1800, 2100, 2400]
SHOWN = [12, 60, 300, 900]  # in the strip
LEVELS = [30, 10, 5, 2, 1]
PICTURES, COLUMNS = 48, 8  # samples in each of its pictures, and in a row of them

Runs = dict[str, dict[str, dict]]  # by contestant and seed


# ---------------------------------------------------------- a run, in its own process


def run(name: str, seed: int, seconds: float, data_dir: str, folder: Path) -> None:
    """Trains and judges at each mark, each of which gives a line of JSON to stdout.

    Pictures of the first seed go into the folder.
    """
    plain = name.endswith(PLAIN)
    if plain:
        import tensorflow as tf  # with its own defaults
    else:
        from tfgan_mnist.system.runtime import load_tensorflow

        load_tensorflow()
        import tensorflow as tf

    import imageio.v3 as imageio

    from tfgan_mnist.build import (
        Training,
        build_clusters,
        build_evaluation,
        build_gan,
        build_training,
        load_data,
    )
    from tfgan_mnist.config import find_recipe, read_config
    from tfgan_mnist.evaluation.protocols import protocol_of
    from tfgan_mnist.system.seeds import PICTURE, run_seed
    from tfgan_mnist.visual.montage import montage

    config = read_config(find_recipe(name.removesuffix(PLAIN)))
    config = dataclasses.replace(config, dataset="mnist", data_dir=data_dir, seed=seed)
    step, spent = 0, 0.0
    if plain:
        from plain_loop import plain_loop

        images, _ = load_data(config)
        train, generator = plain_loop(config, images)
        sampled = {"generator": generator}
        training = Training(
            build_gan(config), sampled, train, {}, None, protocol_of("mnist")
        )
    else:
        if config.clusters:  # learned once more, for the clock
            data = load_data(config)
            start = time.perf_counter()
            build_clusters(config, data)
            spent = time.perf_counter() - start
        training = build_training(config)
    count = 1 if plain else config.steps_per_call
    evaluate = build_evaluation(config, training, quick=False)
    gan, labels = training.gan, np.arange(PICTURES, dtype=np.int32) % 10
    inputs = gan.inputs(
        PICTURES,
        run_seed(config.seed, PICTURE),
        {"labels": labels} if config.classes else {},
    )

    for mark in [mark for mark in MARKS if mark <= seconds]:
        while spent < mark:
            start = time.perf_counter()
            if plain:
                training.step()
            else:
                losses = training.step(tf.constant(step), tf.constant(count)).numpy()
                if not np.isfinite(losses).all():
                    sys.exit(f"{name}, seed {seed}: a loss is not finite, step {step}")
            spent += time.perf_counter() - start
            step += count
        row = {"mark": mark, "seconds": round(spent, 1), "step": step, **evaluate()}
        print(json.dumps(row), flush=True)
        if seed == 1 and mark in SHOWN:
            pictures = gan.sample(training.sampled, inputs).numpy()
            sheet = montage(pictures, COLUMNS)
            imageio.imwrite(folder / f"{name}_{mark}.png", sheet)


# ------------------------------------------------------------------------ all of them


def race(name: str, seed: int, seconds: float, data_dir: str, folder: Path) -> list:
    """The rows of a run."""
    words = ["--here", name, f"--seeds={seed}", f"--seconds={seconds}"]
    words += [f"--data_dir={data_dir}", f"--output={folder}"]
    environment = dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3")
    environment.pop("TF_ENABLE_ONEDNN_OPTS", None)
    rows = []
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, __file__, *words],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
        for line in process.stdout:
            if line.startswith("{"):
                rows.append(json.loads(line))
                said = {key: rows[-1][key] for key in ("seconds", "step", "fcd_10k")}
                print(f"{name}, seed {seed}: {said}", flush=True)
        if code := process.wait():
            errors.seek(0)
            said = errors.read()
            if code == 2:  # it has explained itself, in its last line
                raise UserError(said.splitlines()[-1].removeprefix("error: "))
            raise RunStopped(f"{name} failed:\n{said[-3000:]}")
    return rows


def keep(name: str, seed: int, rows: list[dict], path: Path) -> dict:
    """Adds a run to the record; the record."""
    from tfgan_mnist.evaluation.protocols import protocol_of

    record = read_record(path)
    protocol = protocol_of("mnist")
    record["judge"] = protocol.judge
    record["real"] = protocol.metrics(*protocol.real(1, protocol.count))
    record.setdefault("runs", {}).setdefault(name, {})[str(seed)] = rows
    write_record(path, record)
    return record


def reached(rows: list[dict], level: float) -> float | None:
    """Seconds at the first mark whose distance is at or below a level."""
    return next((row["seconds"] for row in rows if row["fcd_10k"] <= level), None)


def at(rows: list[dict], mark: int, metric: str = "fcd_10k") -> float | None:
    return next((row[metric] for row in rows if row["mark"] == mark), None)


def cell(values: list[float | None], form: str) -> str:
    """The mean (least – greatest); a dash where a run never got there."""
    return "–" if not values or None in values else spread(values, form)


def table(record: dict) -> str:
    """The race as Markdown; nothing before there was one."""
    if not record:
        return ""
    marks = [60, 300, 900, 2400]
    heads = ["contestant", "seeds", *(f"to FCD {level}" for level in LEVELS)]
    heads += [f"FCD at {mark} s" for mark in marks]
    heads += ["precision at 300 s", "recall at 300 s"]
    rows = []
    for name in CONTESTANTS:
        runs = list(record["runs"].get(name, {}).values())
        if not runs:
            continue
        cells = [starred(name, runs[0][0]), str(len(runs))]
        cells += [
            cell([reached(run, level) for run in runs], "{:.0f}") for level in LEVELS
        ]
        for mark in marks:
            values = [at(run, mark) for run in runs]
            cells.append(cell([v for v in values if v is not None], "{:.2f}"))
        for metric in ("precision_10k", "recall_10k"):
            values = [at(run, 300, metric) for run in runs]
            cells.append(cell([v for v in values if v is not None], "{:.3f}"))
        rows.append(cells)
    real = record["real"]
    cells = ["held-out real images", *[""] * len(LEVELS), ""]
    cells += [f"{real['fcd_10k']:.2f}", *[""] * (len(marks) - 1)]
    cells += [f"{real['precision_10k']:.3f}", f"{real['recall_10k']:.3f}"]
    rows.append(cells)
    words = (
        "Seconds of training until an FCD was reached, and the FCD after so many "
        "seconds: mean (least – greatest) over the seeds that were trained so long, on "
        f"10,000 samples, by {record['judge']}. `python scripts/experiments/race.py "
        "--data_dir=FOLDER` ran it on two cores with AVX-512, and then again with "
        "`dcgan_fast cdcgan_fast --seeds=2,3`. All metrics are in "
        "[samples/race/race.json](../samples/race/race.json)."
    )
    picture = "![FCD against seconds of training](../samples/race/race.png)"
    text = markdown(heads, rows)
    return f"{text}\n{picture}\n\n{words}\n{stale_note(text)}"


def draw(record: dict, folder: Path) -> None:
    """Draws the curves, and the strip of pictures at equal times."""
    import imageio.v3 as imageio
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    for i, name in enumerate(n for n in CONTESTANTS if n in record["runs"]):
        for j, rows in enumerate(record["runs"][name].values()):
            axes.loglog(
                [row["seconds"] for row in rows],
                [row["fcd_10k"] for row in rows],
                color=f"C{i}",
                linewidth=1.2,
                label=None if j else name,
            )
    level = record["real"]["fcd_10k"]
    axes.axhline(level, color="0.4", linestyle="--", linewidth=1.0, label="real")
    axes.set(xlabel="seconds of training", ylabel="fcd_10k")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(folder / "race.png")

    def pictures(name: str) -> dict[int, Path]:
        paths = {mark: folder / f"{name}_{mark}.png" for mark in SHOWN}
        return {mark: path for mark, path in paths.items() if path.is_file()}

    names = [name for name in CONTESTANTS if pictures(name)]
    marks = [mark for mark in SHOWN if any(mark in pictures(name) for name in names)]
    if not names:
        return
    size = (2.0 * len(marks), 1.7 * len(names))
    figure = Figure(figsize=size, dpi=120, layout="constrained")
    places = figure.subplots(len(names), len(marks), squeeze=False)
    for row, name in zip(places, names, strict=True):
        for axes, mark in zip(row, marks, strict=True):
            axes.set_axis_off()
            if mark in pictures(name):
                axes.set_title(f"{name}, {mark} s", fontsize=7)
                image = imageio.imread(pictures(name)[mark])
                axes.imshow(image, cmap="gray", vmin=0, vmax=255)
    figure.savefig(folder / "strip.png")
    grey = imageio.imread(folder / "strip.png", mode="L")
    imageio.imwrite(folder / "strip.png", grey, optimize=True)


@dataclasses.dataclass(frozen=True)
class Flags(RunsFlags):
    seeds: str = flag("1", "Race", "of each contestant: 1-3 or 2,3")
    seconds: float = flag(0.0, "Race", "of training; 0: each one's own", low=0.0)
    output: str = flag(
        "samples/race",
        "Race",
        "folder of the record and the pictures, from the checkout",
    )
    here: bool = flag(
        False, "Race", "one contestant and seed in this process; prints JSON"
    )

    def __post_init__(self):
        super().__post_init__()
        if 0.0 < self.seconds < MARKS[0]:
            raise UserError(f"--seconds={self.seconds:g}: must be at least {MARKS[0]}")


def main(argv: Sequence[str]) -> None:
    flags, names = read_words(argv, __doc__, Flags, CONTESTANTS)
    seeds = parse_numbers(flags.seeds, "seeds", "a seed", 1000)
    folder = ROOT / flags.output
    if flags.here:
        if len(names) != 1 or len(seeds) != 1:
            raise UserError("--here: is of one contestant and one of --seeds")
        seconds = flags.seconds or CONTESTANTS[names[0]]
        run(names[0], seeds[0], seconds, flags.data_dir, folder)
        return
    with path_errors(f"--output={folder}"):
        folder.mkdir(exist_ok=True)
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()  # the judge of each record runs in this process
    jobs = [
        (name, seed, flags.seconds or CONTESTANTS[name], flags.data_dir, folder)
        for name in names or CONTESTANTS
        for seed in seeds
    ]
    for place, rows in each(lambda job: race(*job), jobs, **flags.ray):
        name, seed, *_ = jobs[place]
        draw(keep(name, seed, rows, folder / "race.json"), folder)


if __name__ == "__main__":
    sys.exit(command.run(main))
