"""Whether a recipe collapses from any seed: trained from many, each one measured.

    python scripts/experiments/seeds.py RECIPE [--count=20] [--data_dir=FOLDER]
        [--evaluate_every=STEPS]

Trains the recipe on real MNIST from seeds 1 to count, for as long as it says, in
runs/seeds; a run that is there already is only measured. What 10,000 samples of each
measure, and what the alarm said, goes into samples/seeds/RECIPE.json, and from there,
by ``python scripts/experiments/results.py --only_write``, into README.md. The alarm needs three
scores: on a slow machine ask for them more often than the recipe does.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS = Path("runs") / "seeds"
SEEDS = ROOT / "samples" / "seeds"
COUNT = 20
SHOWN = {
    "fcd_10k": "distance",
    "precision_10k": "precision",
    "recall_10k": "recall",
    "classes_10k": "classes",
    "class_kl_10k": "class KL",
}


def check_scores(recipe: str, seeds: Iterable[int], asked: int | None) -> None:
    """Raises UserError if a run that is there was scored at other steps.

    It would go on, but its scores could not be told from the others' later.
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
                f"--evaluate_every={every}: {run_dir} was scored every {there} "
                "steps; ask for the same, or remove it"
            )


def train(recipe: str, seed: int, data_dir: str, more: list[str]) -> None:
    from tfgan_mnist.system.command import run_command

    flags = [f"--flagfile={recipe}.flags", "--dataset=mnist", f"--data_dir={data_dir}"]
    flags += [f"--seed={seed}", f"--run_dir={RUNS / f'{recipe}-{seed}'}", *more]
    run_command("train", flags)


def measure(recipe: str, seed: int) -> dict:
    """What is to be said of a run."""
    from tfgan_mnist.evaluation.protocols import PROTOCOLS
    from tfgan_mnist.runner import alarms
    from tfgan_mnist.serving.writer import SavedGenerator, row_seeds
    from tfgan_mnist.training.run_directory import RunDirectory

    directory = RunDirectory(RUNS / f"{recipe}-{seed}")
    model, protocol = SavedGenerator(directory.saved_model), PROTOCOLS["mnist"]
    labels = protocol.labels(protocol.count) if model.classes else None
    samples = model.sample(row_seeds(seed, protocol.count), labels=labels)
    return {
        "seed": seed,
        "step": model.metadata["step"],
        "seconds": model.metadata["seconds"],
        "alarms": alarms(directory),
        **protocol.figures(protocol.examine(samples), labels),
    }


def table() -> str:
    """What was found of each recipe, as Markdown; nothing before there was one."""
    heads = ["recipe", "seeds", "steps", "seconds", *SHOWN.values(), "alarm"]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    records = [json.loads(path.read_text()) for path in sorted(SEEDS.glob("*.json"))]
    if not records:
        return ""
    for found in records:
        rows = found["rows"]
        loud = sum(bool(row["alarms"]) for row in rows)
        unjudged = sum(row["alarms"] is None for row in rows)
        cells = [f"`{found['recipe']}`", str(len(rows))]
        cells += [
            evenly_spaced(rows, "step", "{:,.0f}"),
            evenly_spaced(rows, "seconds", "{:.0f}"),
        ]
        for name in SHOWN:
            form = "{:.4g}" if name.startswith("classes") else "{:.3f}"
            cells.append(evenly_spaced(rows, name, form))
        cells.append(f"{loud} rang" + f", {unjudged} not judged" * bool(unjudged))
        lines.append("| " + " | ".join(cells) + " |")
    commands = ", ".join(f"`{found['command']}`" for found in records)
    judges = ", ".join(sorted({found["judge"] for found in records}))
    words = (
        "Mean (least – greatest) over the seeds, on 10,000 samples each, by "
        f"{judges}. {commands} trained and measured them; each seed's figures are in "
        "[samples/seeds](samples/seeds)."
    )
    return "\n".join(lines) + f"\n\n{words}\n"


def evenly_spaced(rows: list[dict], name: str, form: str) -> str:
    values = [row[name] for row in rows]
    ends = f"{form.format(min(values))} – {form.format(max(values))}"
    return f"{form.format(statistics.mean(values))} ({ends})"


def main(argv: Sequence[str]) -> None:
    from tfgan_mnist.config import recipes
    from tfgan_mnist.system.command import Parser

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
    command = [
        "python scripts/experiments/seeds.py",
        recipe,
        "--data_dir=FOLDER",
        *more,
    ]
    if arguments.count != COUNT:
        command.append(f"--count={arguments.count}")
    check_scores(recipe, seeds, arguments.evaluate_every)
    for seed in seeds:
        train(recipe, seed, arguments.data_dir, more)
    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.evaluation.protocols import PROTOCOLS

    PROTOCOLS["mnist"].prepare()
    rows = [measure(recipe, seed) for seed in seeds]
    SEEDS.mkdir(exist_ok=True)
    found = {
        "recipe": recipe,
        "command": " ".join(command),
        "judge": PROTOCOLS["mnist"].judged_by,
        "rows": rows,
    }
    (SEEDS / f"{recipe}.json").write_text(json.dumps(found, indent=1) + "\n")
    print(table())


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
