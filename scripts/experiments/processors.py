"""Whether published ranges hold elsewhere: other instruction sets, one core or two.

    python scripts/experiments/processors.py --data_dir=FOLDER [--seeds=1-5]
        [--cores=0-1] [RECIPE ...]
    python scripts/experiments/processors.py --only_write

Other instructions and another number of threads add in another order, and a training
that differs in its last bits soon draws other digits. Each recipe is trained for a
number of steps from each seed, with this processor's instructions and without AVX-512,
on one core and on two, in runs/processors; a run that is there goes on, or is only
measured. What was found goes into samples/processors.json and docs/benchmarks.md.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from benchmark import environment_of
from common import (
    ROOT,
    RecordFlags,
    each_seed,
    markdown,
    read_record,
    read_words,
    stale_note,
    starred,
    with_run,
    write_between_marks,
    write_record,
)
from tqdm import tqdm

from tfgan_mnist.system import command
from tfgan_mnist.system.errors import RunStopped, UserError
from tfgan_mnist.system.flags import flag, parse_numbers
from tfgan_mnist.system.tables import spread

RUNS = Path("runs") / "processors"
RECORD = ROOT / "samples" / "processors.json"
# As in the table of results.
STEPS = {"dcgan_fast": 3600, "cdcgan_fast": 4800}
WAYS = {
    f"{isa}, {cores} core{'s' * (cores > 1)}": (isa, cores)
    for isa, cores in itertools.product(("native", "avx2"), (1, 2))
}
METRICS = {
    "fcd_10k": ("FCD", "{:.2f}"),
    "precision_10k": ("precision", "{:.3f}"),
    "recall_10k": ("recall", "{:.3f}"),
    "diversity_10k": ("diversity", "{:.2f}"),
    "digit_agreement_10k": ("digit agreement", "{:.3f}"),
}


def run(recipe: str, way: str, seed: int, data_dir: str, cores: Sequence[int]) -> dict:
    """Trains and measures on these cores; what was found.

    Raises:
      RunStopped: if a command fails.
    """
    isa, _ = WAYS[way]
    run_dir = RUNS / f"{recipe}-{way.replace(', ', '-').replace(' ', '_')}-{seed}"
    measured = run_dir / "evaluation.json"
    commands = {
        "train": [
            f"--flagfile={recipe}.flags",
            f"--steps={STEPS[recipe]}",
            "--max_seconds=0",
            "--evaluate_every=0",
            f"--seed={seed}",
            f"--run_dir={run_dir}",
            f"--data_dir={data_dir}",
        ],
        "evaluate": [
            f"--saved_model={run_dir / 'saved_model'}",
            f"--output={measured}",
        ],
    }
    for name, flags in commands.items():
        done = subprocess.run(
            [sys.executable, "-m", f"tfgan_mnist.{name}", *flags],
            stdout=subprocess.DEVNULL,
            env=environment_of("ours", isa),
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        if done.returncode:
            raise RunStopped(f"{name} {' '.join(flags)}: failed")
    found = json.loads(measured.read_text())["metrics"]
    return {
        "seed": seed,
        "steps": STEPS[recipe],
        "processor": processor(),
        "metrics": {name: found[name] for name in METRICS if name in found},
    }


def processor() -> str:
    """Of this machine, by its name and its widest instructions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.split(":")[1].strip() for line in lines if "model name" in line)
    name = next(names, "unknown")
    return f"{name}, {'AVX-512' if 'avx512f' in ' '.join(lines) else 'AVX2'}"


def table(record: dict[str, dict[str, list[dict]]]) -> str:
    """What was found, as Markdown."""
    heads = ["recipe", "instructions, cores", "seeds", "steps"]
    rows = []
    for recipe, ways in record.items():
        for way, runs in ways.items():
            cells = [
                starred(recipe, runs[0]),
                way,
                f"{len(runs)}",
                f"{runs[0]['steps']:,}",
            ]
            for name, (_, form) in METRICS.items():
                means = [
                    found["metrics"][name]["mean"]
                    for found in runs
                    if name in found["metrics"]
                ]
                cells.append(spread(means, form) if means else "–")
            rows.append(cells)
    processors = sorted(
        {
            found["processor"]
            for ways in record.values()
            for runs in ways.values()
            for found in runs
        }
    )
    words = (
        "Mean (least – greatest) over the seeds, each measured by three times 10,000 "
        f"samples. Processors: {'; '.join(processors)}. "
        "`python scripts/experiments/processors.py --data_dir=FOLDER` trained and "
        "measured them."
    )
    text = markdown([*heads, *(head for head, _ in METRICS.values())], rows)
    return f"{text}\n{words}\n{stale_note(text)}"


def write(record: dict[str, dict[str, list[dict]]]) -> None:
    write_between_marks(ROOT / "docs" / "benchmarks.md", {"processors": table(record)})


@dataclasses.dataclass(frozen=True)
class Flags(RecordFlags):
    seeds: str = flag("1-5", "Training", "of each: 1-5 or 2,3")
    cores: str = flag(
        "0-1", "Training", "by their numbers; as many runs at a time as fit on them"
    )


class Cores:
    """The processor's cores, which runs take and give back."""

    def __init__(self, numbers: Sequence[int]):
        self._free = [*numbers]
        self._change = threading.Condition()

    def take(self, count: int) -> list[int]:
        """So many of them, once they are free."""
        with self._change:
            self._change.wait_for(lambda: len(self._free) >= count)
            return [self._free.pop(0) for _ in range(count)]

    def give_back(self, taken: Sequence[int]) -> None:
        with self._change:
            self._free += taken
            self._change.notify()


def main(argv: Sequence[str]) -> None:
    flags, recipes = read_words(argv, __doc__, Flags, STEPS)
    if flags.only_write:
        write(read_record(RECORD, needed=True))
        return
    numbers = parse_numbers(flags.cores, "cores", "a core", 1000)
    if len(set(numbers)) < 2:
        raise UserError(f"--cores={flags.cores}: must name two or more")
    if missing := sorted(set(numbers) - os.sched_getaffinity(0)):
        raise UserError(f"--cores={flags.cores}: there is no core {missing[0]} here")
    cores = Cores(numbers)
    writing = threading.Lock()

    def measure(recipe: str, way: str, seed: int, taken: Sequence[int]) -> None:
        try:
            found = run(recipe, way, seed, flags.data_dir, taken)
        finally:
            cores.give_back(taken)
        with writing:
            record = read_record(RECORD)
            ways = record.setdefault(recipe, {})
            ways[way] = with_run(ways.get(way), found)
            write_record(RECORD, record)
            write(record)

    wanted = [
        (recipe, way, seed)
        for recipe in recipes or STEPS
        for way in WAYS
        for _, seed in each_seed([recipe], flags.seeds)
    ]
    runs: dict[concurrent.futures.Future, str] = {}
    with (
        tqdm(total=len(wanted), unit="run") as progress,
        concurrent.futures.ThreadPoolExecutor(len(numbers)) as pool,
    ):
        for recipe, way, seed in wanted:
            taken = cores.take(WAYS[way][1])
            done = pool.submit(measure, recipe, way, seed, taken)
            done.add_done_callback(lambda _: progress.update())
            runs[done] = f"{recipe}, {way} (seed {seed})"
    errors = {name: done.exception() for done, name in runs.items()}
    if failed := [f"{name}: {error}" for name, error in errors.items() if error]:
        raise RunStopped(f"{'; '.join(failed)}; the same command tries again")


if __name__ == "__main__":
    sys.exit(command.run(main))
