"""What several workers gain, measured with two, and on paper with up to a thousand.

    python scripts/experiments/efficiency.py [RECIPE ...]
    python scripts/experiments/efficiency.py --only_write

On one machine of two cores, by turns: one process of one thread, one of two threads,
and two workers of one thread each, which share the recipe's batch. From these, from the
bytes that the workers sent and from the step of half a batch follows a model of many
workers on networks of 1, 10 and 100 Gbit/s. What was found goes into
samples/efficiency.json, a plot beside it, and docs/distributed.md.
"""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from common import (
    ROOT,
    ScriptFlags,
    each_seed,
    markdown,
    measure_each,
    read_words,
    stale_note,
    starred,
    write_between_marks,
)

from tfgan_mnist.system import command
from tfgan_mnist.system.flags import flag
from tfgan_mnist.system.tables import spread

RECORD = ROOT / "samples" / "efficiency.json"
PLOT = ROOT / "samples" / "efficiency.png"
DOCUMENT = ROOT / "docs" / "distributed.md"
RECIPES = ("dcgan", "dcgan_fast", "cyclegan_thickness")
WIRES = (1, 10, 100)  # Gbit/s
ROUND = 1e-4  # seconds that a message between two machines takes beside its bytes
WORKERS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
# The set-ups: threads of each process, workers (0: a process without any), and the
# share of the batch.
SETUPS = {
    "one_thread": (1, 0, 1.0),
    "two_threads": (2, 0, 1.0),
    "two_workers": (1, 2, 1.0),
    "half_batch": (1, 0, 0.5),
}


# ------------------------------------------------------------------- one process's turn


def turn(recipe: str, share: float, calls: int) -> dict[str, Any]:
    """Makes some calls of a recipe's step, alone or, with TF_CONFIG, as a worker.

    Args:
      recipe: whose.
      share: of its batch.
      calls: that are timed, after two that are not.
    """
    from tfgan_mnist.system.runtime import load_tensorflow

    team = load_tensorflow(_assembled)
    import tensorflow as tf

    from tfgan_mnist.build import build_training
    from tfgan_mnist.config import find_recipe, read_config

    config = read_config(find_recipe(recipe))
    rows = round(config.batch_size * share)
    config = dataclasses.replace(config, batch_size=rows, dataset="mnist5k")
    with team.strategy.scope():
        training = build_training(config)
    count = config.steps_per_call
    durations, sent = [], 0
    for call in range(calls + 2):
        if call == 2:
            sent = _bytes_sent()
        start = time.perf_counter()
        training.step(tf.constant(call * count), tf.constant(count)).numpy()
        durations.append((time.perf_counter() - start) / count)
    gan, weights, all_updates = training.gan, 0, 0
    for side in gan.sides:
        updates = (
            config.generator_updates if side.generates else config.discriminator_updates
        )
        all_updates += updates
        for network in side.networks:
            sizes = [
                w.shape.num_elements()
                for w in gan.networks[network].trainable_variables
            ]
            weights += updates * sum(sizes)
    return {
        "seconds": statistics.median(durations[2:]),
        "sent": (_bytes_sent() - sent) / (calls * count),
        "gradients": 4 * weights,
        "updates": all_updates,
        "batch": config.batch_size,
    }


def _assembled():
    from tfgan_mnist.system.cluster import read_cluster
    from tfgan_mnist.training.distribution import assemble

    if "TF_CONFIG" not in os.environ:
        return assemble("none", None)
    return assemble("multi_worker", read_cluster())


def _bytes_sent() -> int:
    """That went over the loopback of this machine since it started; 0 if unknown."""
    counters = Path("/proc/net/dev")
    if not counters.is_file():
        return 0
    for line in counters.read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == "lo":
            return int(numbers.split()[8])
    return 0


# --------------------------------------------------------------------------- the turns


def run(recipe: str, setup: str, calls: int) -> dict[str, Any]:
    """A set-up's turn in processes of its own: what the first of them measured."""
    threads, workers, share = SETUPS[setup]
    environment = {
        **os.environ,
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
    }
    words = [sys.executable, __file__, recipe, f"--share={share}", f"--turn={calls}"]
    processes = []
    addresses = _free_addresses(workers)
    for index in range(max(1, workers)):
        if workers:
            environment["TF_CONFIG"] = json.dumps(
                {
                    "cluster": {"worker": addresses},
                    "task": {"type": "worker", "index": index},
                }
            )
        options = {"env": dict(environment), "text": True}
        process = subprocess.Popen(words, stdout=subprocess.PIPE, **options)
        processes.append(process)
    printed = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        sys.exit(f"{setup} failed on {recipe}")
    return json.loads(printed[0].splitlines()[-1])


def _free_addresses(count: int) -> list[str]:
    import socket

    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    found = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return found


def measure(recipe: str, rounds: int, seconds: float) -> dict[str, Any]:
    """All set-ups by turns, and what they found."""
    first = run(recipe, "one_thread", 3)
    from tfgan_mnist.config import find_recipe, read_config

    steps = read_config(find_recipe(recipe)).steps_per_call
    calls = max(5, round(seconds / (first["seconds"] * steps)))
    found: dict[str, list[dict]] = {setup: [] for setup in SETUPS}
    for _ in range(rounds):
        for setup in SETUPS:
            found[setup].append(run(recipe, setup, calls))
    two = found["two_workers"]
    return {
        "batch": first["batch"],
        "seconds": {
            setup: [one["seconds"] for one in some] for setup, some in found.items()
        },
        "sent": statistics.median(one["sent"] for one in two),
        "gradients": first["gradients"],
        "updates": first["updates"],
    }


# ---------------------------------------------------------------------------- the model


def seconds_a_byte(record: dict[str, dict]) -> float:
    """What it cost the two workers to send, beside their own halves of a batch.

    The slope of a line through the recipes.
    """
    excess, sent = [], []
    for found in record.values():
        two, half = (
            statistics.median(found["seconds"][setup])
            for setup in ("two_workers", "half_batch")
        )
        excess.append(two - half)
        sent.append(found["gradients"])
    if len(record) == 1:
        return excess[0] / sent[0]
    return statistics.linear_regression(sent, excess).slope


def modelled(found: dict[str, Any], workers: int, gigabits: float, grow: bool) -> float:
    """Rows a second that some workers are to make.

    A worker's own part of a step is a fixed time and a time a row, from the steps of a
    whole and of half a batch. In each update a ring all-reduce has every worker send
    2 (N - 1) / N of the gradients' bytes, in 2 (N - 1) rounds of ``ROUND`` seconds.

    Args:
      found: as ``measure`` returns it.
      workers: N.
      gigabits: that each worker sends a second.
      grow: whether each worker has the recipe's whole batch, or its share of one.
    """
    batch = found["batch"]
    whole, half = (
        statistics.median(found["seconds"][setup])
        for setup in ("one_thread", "half_batch")
    )
    of_row = max(0.0, 2.0 * (whole - half) / batch)
    fixed = max(0.0, whole - of_row * batch)
    rows = batch if grow else batch / workers
    step = fixed + of_row * rows
    if workers > 1:
        sent = 2.0 * (workers - 1) / workers * found["gradients"]
        step += 8.0 * sent / (gigabits * 1e9)
        step += found["updates"] * 2.0 * (workers - 1) * ROUND
    return rows * workers / step


def best(found: dict[str, Any], gigabits: float, grow: bool) -> tuple[int, float]:
    """The number of workers that makes most rows a second, and how many times one's.

    A batch that does not grow has no more parts than rows.
    """
    possible = [n for n in WORKERS if grow or n <= found["batch"]]
    rates = {n: modelled(found, n, gigabits, grow) for n in possible}
    most = max(rates, key=rates.__getitem__)
    return most, rates[most] / rates[1]


def table(record: dict[str, dict]) -> str:
    """What was measured and what follows from it, as Markdown."""
    heads = ["recipe", "batch", "1 process, 1 thread", "1 process, 2 threads"]
    heads += [
        "2 workers, 1 thread each",
        "efficiency",
        "MB sent a step",
        "of gradients",
    ]
    byte = seconds_a_byte(record)
    rows, paper = [], []
    for recipe, found in record.items():
        seconds = found["seconds"]
        one, two = seconds["one_thread"], seconds["two_workers"]
        gained = [a / b / 2.0 for a, b in zip(one, two, strict=True)]
        cells = [starred(recipe, found), f"{found['batch']}"]
        cells += [
            spread([1000.0 * s for s in seconds[setup]], "{:.0f}") + " ms"
            for setup in ("one_thread", "two_threads", "two_workers")
        ]
        cells += [spread(gained, "{:.2f}")]
        rows.append(
            [*cells, f"{found['sent'] / 1e6:.1f}", f"{found['gradients'] / 1e6:.1f}"]
        )
        cells = [starred(recipe, found)]
        for grow in (False, True):
            for gigabits in WIRES:
                workers, times = best(found, gigabits, grow)
                form = "{:.1f}" if times < 10.0 else "{:.0f}"
                cells.append(f"{form.format(times)}× ({workers:,})")
        paper.append(cells)
    paper_heads = ["recipe", *(f"{w} Gbit/s" for w in WIRES)]
    paper_heads += [f"{w} Gbit/s, growing" for w in WIRES]
    measured = markdown(heads, rows)
    return (
        f"{measured}\n"
        "Milliseconds a step: median (least – greatest) of the rounds, on two cores. "
        "Efficiency is the gain of two workers over one process of one thread, halved. "
        "Megabytes are those on the loopback, of both workers together, and those of "
        "the gradients of a step's updates.\n\n"
        f"{markdown(paper_heads, paper)}\n"
        "A model, not a measurement: the greatest speed-up over one worker in images a "
        "second, and with how many workers (up to 1,000) it is reached. On the left "
        "the workers share the recipe's batch; growing, each has a whole batch. A "
        "worker's own time is measured, its bytes go over a network of that speed, and "
        f"each round of a ring all-reduce is assumed to take {1e3 * ROUND:g} ms. The "
        "model is `modelled` in [efficiency.py](../scripts/experiments/efficiency.py). "
        "The columns above 1 Gbit/s hold only if TensorFlow's collectives keep up. "
        f"Here, with one thread each, they spent {1e9 * byte:.1f} ms on each megabyte, "
        f"as on a network of {8e-9 / byte:.1f} Gbit/s.\n\n"
        "![images a second over the number of workers](../samples/efficiency.png)\n\n"
        "`python scripts/experiments/efficiency.py` measured and drew this.\n"
        f"{stale_note(measured)}"
    )


def draw(record: dict[str, dict]) -> None:
    """Rows a second over the number of workers: measured, and on paper."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.0 * len(record), 3.6), layout="constrained")
    panels = figure.subplots(1, len(record), squeeze=False)[0]
    for axes, (recipe, found) in zip(panels, record.items(), strict=True):
        for colour, gigabits in zip(("C0", "C1", "C2"), WIRES, strict=True):
            for grow, line in ((True, "--"), (False, "-")):
                possible = [n for n in WORKERS if grow or n <= found["batch"]]
                axes.plot(
                    possible,
                    [modelled(found, n, gigabits, grow) for n in possible],
                    line,
                    color=colour,
                    label="" if grow else f"{gigabits} Gbit/s",
                )
        measured = [
            found["batch"] / statistics.median(found["seconds"][setup])
            for setup in ("one_thread", "two_workers")
        ]
        axes.plot([1, 2], measured, "ko", label="measured")
        axes.set(title=recipe, xlabel="workers", xscale="log", yscale="log")
    panels[0].set_ylabel("images a second (dashed: growing batch)")
    panels[0].legend(fontsize="small")
    figure.savefig(PLOT, dpi=90)


def write(record: dict[str, dict]) -> None:
    """The tables and the plot of what is in the record."""
    write_between_marks(DOCUMENT, {"efficiency": table(record)})
    draw(record)


@dataclasses.dataclass(frozen=True)
class Flags(ScriptFlags):
    rounds: int = flag(3, "Benchmark", "of turns", low=1)
    seconds: float = flag(8.0, "Benchmark", "of a turn", above=0.0)
    only_write: bool = flag(False, "Results", "tables of what was measured before")
    turn: int = flag(0, "One turn", "calls to time in this process; prints JSON", low=0)
    share: float = flag(1.0, "One turn", "of the batch", above=0.0)


def main(argv: Sequence[str]) -> None:
    flags, recipes = read_words(argv, __doc__, Flags, RECIPES)
    if flags.turn:
        (recipe,) = recipes
        print(json.dumps(turn(recipe, flags.share, flags.turn)))
        return
    measure_each(
        RECORD,
        each_seed(recipes or RECIPES, "1"),
        RECIPES,
        flags.only_write,
        lambda recipe, seed: measure(recipe, flags.rounds, flags.seconds),
        write,
    )


if __name__ == "__main__":
    sys.exit(command.run(main))
