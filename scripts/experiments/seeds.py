"""Whether a recipe collapses from any seed: trained from many, each one measured.

    python scripts/experiments/seeds.py RECIPE [--count=20] [--data_dir=FOLDER]
        [--evaluate_every=STEPS]

Trains the recipe on real MNIST from seeds 1 to count, for as long as it says, in
runs/seeds; a run that is there already is only measured. What 10,000 samples of each
measure, and what the alarm said, goes into samples/seeds/RECIPE.json, and from there,
by ``python scripts/experiments/results.py --only_write``, into docs/benchmarks.md. The
alarm needs three evaluations: on a slow machine ask for more than the recipe does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from common import Parser, alarms, markdown, run_command, spread, write_record

ROOT = Path(__file__).parents[2]
RUNS = Path("runs") / "seeds"
SEEDS = ROOT / "samples" / "seeds"
COUNT = 20
SHOWN = {
    "fcd_10k": "FCD",
    "precision_10k": "precision",
    "recall_10k": "recall",
    "classes_10k": "classes",
    "class_kl_10k": "class KL",
}


def check_runs(recipe: str, seeds: Iterable[int], asked: int | None) -> None:
    """Raises UserError if a run that is there was measured at other steps.

    It would go on, but its metrics could not be told from the others' later.
    """
    from tfgan_mnist.config import find_recipe, read_config
    from tfgan_mnist.system.errors import UserError

    every = asked
    if every is None:
        every = read_config(find_recipe(recipe)).evaluate_every
    for run_dir in (RUNS / f"{recipe}-{seed}" for seed in seeds):
        path = run_dir / "config.flags"
        if path.is_file() and (there := read_config(path).evaluate_every) != every:
            raise UserError(
                f"--evaluate_every={every}: {run_dir} was measured every {there} "
                "steps; ask for the same, or remove it"
            )


def train(recipe: str, seed: int, data_dir: str, more: list[str]) -> None:
    flags = [f"--flagfile={recipe}.flags", "--dataset=mnist", f"--data_dir={data_dir}"]
    flags += [f"--seed={seed}", f"--run_dir={RUNS / f'{recipe}-{seed}'}", *more]
    run_command("train", flags)


def measure(recipe: str, seed: int) -> dict:
    """What is to be said of a run."""
    from tfgan_mnist.evaluation.protocols import protocol_of
    from tfgan_mnist.serving.reader import SavedGenerator, row_seeds

    run_dir = RUNS / f"{recipe}-{seed}"
    model, protocol = SavedGenerator(run_dir / "saved_model"), protocol_of("mnist")
    labels = protocol.labels(protocol.count) if model.classes else None
    samples = model.sample(row_seeds(seed, protocol.count), labels=labels)
    return {
        "seed": seed,
        "step": model.metadata["step"],
        "seconds": model.metadata["seconds"],
        "alarms": alarms(run_dir),
        **protocol.metrics(protocol.features(samples), labels),
    }


def table() -> str:
    """What was found of each recipe, as Markdown; nothing before there was one."""
    heads = ["recipe", "seeds", "steps", "seconds", *SHOWN.values(), "alarm"]
    records = [json.loads(path.read_text()) for path in sorted(SEEDS.glob("*.json"))]
    if not records:
        return ""
    rows = []
    for found in records:
        runs = found["rows"]
        rung = sum(bool(run["alarms"]) for run in runs)
        unjudged = sum(run["alarms"] is None for run in runs)
        cells = [f"`{found['recipe']}`", str(len(runs))]
        cells.append(spread([run["step"] for run in runs], "{:,.0f}"))
        cells.append(spread([run["seconds"] for run in runs], "{:.0f}"))
        for name in SHOWN:
            form = "{:.4g}" if name.startswith("classes") else "{:.3f}"
            cells.append(spread([run[name] for run in runs], form))
        cells.append(f"{rung} rang" + f", {unjudged} not judged" * bool(unjudged))
        rows.append(cells)
    commands = ", ".join(f"`{found['command']}`" for found in records)
    judges = ", ".join(sorted({found["judge"] for found in records}))
    words = (
        "Mean (least – greatest) over the seeds, on 10,000 samples each, by "
        f"{judges}. {commands} trained and measured them; each seed's metrics are in "
        "[samples/seeds](../samples/seeds)."
    )
    return f"{markdown(heads, rows)}\n{words}\n"


def main(argv: Sequence[str]) -> None:
    from tfgan_mnist.config import recipes

    parser = Parser(__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="of seeds")
    parser.add_data_dir()
    parser.add_argument(
        "--evaluate_every", type=int, help="steps, in place of the recipe's"
    )
    parser.add_argument("recipe", choices=recipes(), metavar="RECIPE")
    arguments = parser.parse_args(argv)
    if arguments.count < 1:
        parser.error(f"--count={arguments.count}: must be at least 1")
    recipe, seeds = arguments.recipe, range(1, arguments.count + 1)
    more = []
    if arguments.evaluate_every is not None:
        more = [f"--evaluate_every={arguments.evaluate_every}"]
    script = "python scripts/experiments/seeds.py"
    command = [script, recipe, "--data_dir=FOLDER", *more]
    if arguments.count != COUNT:
        command.append(f"--count={arguments.count}")
    check_runs(recipe, seeds, arguments.evaluate_every)
    for seed in seeds:
        train(recipe, seed, arguments.data_dir, more)
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.evaluation.protocols import protocol_of

    protocol_of("mnist").prepare()
    rows = [measure(recipe, seed) for seed in seeds]
    found = {
        "recipe": recipe,
        "command": " ".join(command),
        "judge": protocol_of("mnist").judge,
        "rows": rows,
    }
    write_record(SEEDS / f"{recipe}.json", found)
    print(table())


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
