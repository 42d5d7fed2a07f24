"""Quality against time: recipes under the same wall-clock budgets, one after another.

    python scripts/race.py --data_dir=FOLDER [CONTESTANT ...] [--seeds 1 2 3]
        [--seconds=900]

Each contestant trains on real MNIST, from each seed, in a process of its own. The clock
starts with the first step, whose compilation it counts, and stands still while 10,000
samples are judged. ``dcgan_plain`` and ``dcgan_tutorial_plain`` are the published
networks and schedules in a plain loop (plain_loop.py) under TensorFlow's defaults; the
others are recipes under this package's step. What was found goes into
samples/race/race.json, the curve and the strip of pictures beside it, and, by ``python
scripts/results.py --only_write``, the README.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
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
JUDGED = 10_000
PICTURES = 10

Runs = dict[str, dict[str, dict]]  # by contestant and seed


# ---------------------------------------------------------- a run, in its own process


def run(name: str, seed: int, seconds: float, data_dir: str) -> None:
    """Trains, judges at each mark, and writes a line of JSON for each to stdout."""
    plain = name.endswith(PLAIN)
    if plain:
        import tensorflow as tf  # with its own defaults
    else:
        from tfgan_mnist.runtime import load_tensorflow

        tf = load_tensorflow()
    import dataclasses

    from tfgan_mnist.build import build_gan, build_training
    from tfgan_mnist.config import find_recipe, read_config
    from tfgan_mnist.latents import EVALUATION, PICTURE, run_seed
    from tfgan_mnist.protocols import PROTOCOLS, even_labels

    config = read_config(find_recipe(name.removesuffix(PLAIN)))
    config = dataclasses.replace(
        config, dataset="mnist", data_dir=data_dir, seed=seed, max_seconds=seconds
    )
    if plain:
        from plain_loop import plain_loop

        from tfgan_mnist.data.mnist import mnist

        gan = build_gan(config)
        train, sampler = plain_loop(config, mnist(data_dir)[0])
        count = 1
    else:
        training = build_training(config)
        gan, sampler, count = training.gan, training.sampler, config.steps_per_call

    step, spent = 0, 0.0

    def advance() -> None:
        nonlocal step, spent
        start = time.perf_counter()
        if plain:
            train()
        else:
            losses = training.step(tf.constant(step), tf.constant(count)).numpy()
            if not np.isfinite(losses).all():
                sys.exit(f"{name}, seed {seed}: a loss is not finite at step {step}")
        spent += time.perf_counter() - start
        step += count

    protocol = PROTOCOLS["mnist"]
    protocol.prepare()
    sample = tf.function(lambda *inputs: gan.sample(sampler, *inputs))

    def draw(count: int, purpose, labels) -> np.ndarray:
        inputs = [gan.draw_latents(count, run_seed(seed, purpose))]
        if hasattr(gan, "classes"):
            inputs.append(tf.constant(labels))
        parts = [
            sample(*(rows[i : i + 500] for rows in inputs)).numpy()
            for i in range(0, count, 500)
        ]
        return np.concatenate(parts)

    labels = protocol.labels(JUDGED)
    known = labels if hasattr(gan, "classes") else None
    for mark in [mark for mark in MARKS if mark <= seconds]:
        while spent < mark:
            advance()
        features = protocol.examine(draw(JUDGED, EVALUATION, labels))
        figures = protocol.glance(features, known)
        pictures = draw(PICTURES, PICTURE, even_labels(PICTURES, 10))
        row = {
            "mark": mark,
            "seconds": round(spent, 1),
            "step": step,
            **figures,
            "pictures": np.rint(pictures[..., 0] * 255).astype(int).tolist(),
        }
        print(json.dumps(row), flush=True)


# ------------------------------------------------------------------------ all of them


def race(name: str, seed: int, seconds: float, data_dir: str) -> list[dict]:
    """The rows of a run."""
    words = ["--run", name, str(seed), str(seconds), data_dir]
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
        if process.wait():
            errors.seek(0)
            sys.exit(f"{name} failed:\n{errors.read()[-3000:]}")
    return rows


def keep(name: str, seed: int, rows: list[dict]) -> None:
    """Adds a run to the record; pictures of the first seed go into a file of theirs."""
    from tfgan_mnist.protocols import PROTOCOLS

    RACE.mkdir(exist_ok=True)
    record = read_record()
    pictures = {row["mark"]: row.pop("pictures") for row in rows}
    if seed == 1:
        shown = [mark for mark in pictures if mark in SHOWN]
        arrays = {str(m): np.array(pictures[m], np.uint8) for m in shown}
        np.savez_compressed(RACE / f"{name}.npz", **arrays)
    protocol = PROTOCOLS["mnist"]
    features, digits = protocol.real(1, JUDGED)
    record["judge"] = protocol.judged_by
    record["real"] = protocol.glance(features, digits)
    record.setdefault("runs", {}).setdefault(name, {})[str(seed)] = rows
    (RACE / "race.json").write_text(json.dumps(record, indent=1) + "\n")


def read_record() -> dict:
    path = RACE / "race.json"
    return json.loads(path.read_text()) if path.is_file() else {"runs": {}}


def reached(rows: list[dict], level: float) -> float | None:
    """Seconds at the first mark whose distance is at or below a level."""
    return next((row["seconds"] for row in rows if row["fcd_10k"] <= level), None)


def at(rows: list[dict], mark: int, figure: str = "fcd_10k") -> float | None:
    return next((row[figure] for row in rows if row["mark"] == mark), None)


def cell(values: list[float | None], form: str) -> str:
    """The mean (least – greatest); a dash where a run never got there."""
    if not values or None in values:
        return "–"
    text = form.format(statistics.mean(values))
    if len(values) > 1:
        text += f" ({form.format(min(values))} – {form.format(max(values))})"
    return text


def table(record: dict) -> str:
    """The race as Markdown."""
    marks = [60, 300, 900, 2400]
    heads = ["contestant", "seeds", *(f"to {level}" for level in LEVELS)]
    heads += [f"at {mark} s" for mark in marks]
    heads += ["precision at 300 s", "recall at 300 s"]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for name in CONTESTANTS:
        runs = list(record["runs"].get(name, {}).values())
        if not runs:
            continue
        cells = [f"`{name}`", str(len(runs))]
        cells += [
            cell([reached(rows, level) for rows in runs], "{:.0f}") for level in LEVELS
        ]
        for mark in marks:
            values = [at(rows, mark) for rows in runs]
            cells.append(cell([v for v in values if v is not None], "{:.2f}"))
        for figure in ("precision_10k", "recall_10k"):
            values = [at(rows, 300, figure) for rows in runs]
            cells.append(cell([v for v in values if v is not None], "{:.3f}"))
        lines.append("| " + " | ".join(cells) + " |")
    real = record["real"]
    cells = ["held-out real images", *[""] * len(LEVELS), ""]
    cells += [f"{real['fcd_10k']:.2f}", *[""] * (len(marks) - 1)]
    cells += [f"{real['precision_10k']:.3f}", f"{real['recall_10k']:.3f}"]
    lines.append("| " + " | ".join(cells) + " |")
    words = (
        "Seconds of training to a distance, and the distance after so many seconds "
        "(least – greatest over the seeds, where they were trained so long): fcd_10k "
        f"by {record['judge']}. `python scripts/race.py --data_dir=FOLDER` ran it on "
        "two cores with AVX-512; all figures are in "
        "[samples/race/race.json](samples/race/race.json)."
    )
    return "\n".join(lines) + f"\n\n![distance](samples/race/race.png)\n\n{words}\n"


def draw(record: dict) -> None:
    """Draws the curves, and the strip of pictures at equal times."""
    from matplotlib.figure import Figure

    from tfgan_mnist.visual.montage import montage

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
    figure.savefig(RACE / "race.png")

    names = [name for name in CONTESTANTS if (RACE / f"{name}.npz").is_file()]
    size = (3 * len(SHOWN), 1.5 * len(names))
    figure = Figure(figsize=size, dpi=100, layout="constrained")
    places = figure.subplots(len(names), len(SHOWN), squeeze=False)
    for row, name in zip(places, names, strict=True):
        with np.load(RACE / f"{name}.npz") as pictures:
            for axes, mark in zip(row, SHOWN, strict=True):
                axes.set_axis_off()
                axes.set_title(f"{name}, {mark} s", fontsize=8)
                if str(mark) in pictures:
                    images = pictures[str(mark)][..., np.newaxis] / 255.0
                    axes.imshow(montage(images, 5), cmap="gray", vmin=0, vmax=255)
    figure.savefig(RACE / "strip.png")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_dir", default="", help="a prepared copy of MNIST")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--seconds", type=float, help="instead of each one's own")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("contestants", nargs="*", help="by default all")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.errors import UserError

    if arguments.run:
        name, seed, seconds, data_dir = arguments.run
        try:
            run(name, int(seed), float(seconds), data_dir)
        except UserError as error:
            sys.exit(f"error: {error}")
        return
    if unknown := set(arguments.contestants) - set(CONTESTANTS):
        known = ", ".join(CONTESTANTS)
        parser.error(f"{min(unknown)} does not race; there are: {known}")
    if arguments.seconds is not None and arguments.seconds < MARKS[0]:
        parser.error(f"--seconds={arguments.seconds:g}: must be at least {MARKS[0]}")
    for name in arguments.contestants or CONTESTANTS:
        for seed in arguments.seeds:
            seconds = arguments.seconds or CONTESTANTS[name]
            keep(name, seed, race(name, seed, seconds, arguments.data_dir))
            draw(read_record())


if __name__ == "__main__":
    main()
