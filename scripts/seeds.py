"""Whether a recipe collapses from any seed: trained from many, each one measured.

    python scripts/seeds.py RECIPE [--count=20] [--data_dir=FOLDER]

Trains the recipe on real MNIST from seeds 1 to count, for as long as it says, in
runs/seeds; a run that is there already is only measured. What 10,000 samples of each
measure, and what the alarm said, goes into samples/seeds/RECIPE.json; a table of all
recipes there is printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS = Path("runs") / "seeds"
SEEDS = ROOT / "samples" / "seeds"
SHOWN = {
    "fcd_10k": "distance",
    "precision_10k": "precision",
    "recall_10k": "recall",
    "classes_10k": "classes",
    "class_kl_10k": "class KL",
}


def train(recipe: str, seed: int, data_dir: str) -> None:
    flags = [f"--flagfile={recipe}.flags", "--dataset=mnist", f"--data_dir={data_dir}"]
    flags += [f"--seed={seed}", f"--run_dir={RUNS / f'{recipe}-{seed}'}"]
    done = subprocess.run([sys.executable, "-m", "tfgan_mnist.train", *flags])
    if done.returncode:  # it has said why
        sys.exit(done.returncode)


def measure(recipe: str, seed: int) -> dict:
    """What is to be said of a run."""
    from tfgan_mnist.protocols import PROTOCOLS
    from tfgan_mnist.run_directory import RunDirectory
    from tfgan_mnist.runner import alarms
    from tfgan_mnist.saving import SavedGenerator, row_seeds

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
    """What was found of each recipe, as Markdown."""
    heads = ["recipe", "seeds", "steps", "seconds", *SHOWN.values(), "alarm"]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for path in sorted(SEEDS.glob("*.json")):
        found = json.loads(path.read_text())
        rows = found["rows"]
        loud = sum(bool(row["alarms"]) for row in rows)
        unjudged = sum(row["alarms"] is None for row in rows)
        cells = [f"`{found['recipe']}`", str(len(rows))]
        cells += [spread(rows, "step", "{:,.0f}"), spread(rows, "seconds", "{:.0f}")]
        for name in SHOWN:
            form = "{:.0f}" if name.startswith("classes") else "{:.3f}"
            cells.append(spread(rows, name, form))
        cells.append(f"{loud} rang" + f", {unjudged} not judged" * bool(unjudged))
        lines.append("| " + " | ".join(cells) + " |")
    words = (
        "Mean (least – greatest) over the seeds, on 10,000 samples each, by "
        f"{found['judge']}. `python scripts/seeds.py dcgan_fast --data_dir=FOLDER` "
        "trained and measured them; each seed's figures are in "
        "[samples/seeds](samples/seeds)."
    )
    return "\n".join(lines) + f"\n\n{words}\n"


def spread(rows: list[dict], name: str, form: str) -> str:
    values = [row[name] for row in rows]
    ends = f"{form.format(min(values))} – {form.format(max(values))}"
    return f"{form.format(statistics.mean(values))} ({ends})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20, help="of seeds")
    parser.add_argument("--data_dir", default="", help="a prepared copy of MNIST")
    parser.add_argument("recipe")
    arguments = parser.parse_args()
    if arguments.count < 1:
        parser.error(f"--count={arguments.count}: must be at least 1")
    sys.path.insert(0, str(ROOT))
    recipe, seeds = arguments.recipe, range(1, arguments.count + 1)
    for seed in seeds:
        train(recipe, seed, arguments.data_dir)
    from tfgan_mnist.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.errors import UserError
    from tfgan_mnist.protocols import PROTOCOLS

    try:
        PROTOCOLS["mnist"].prepare()
        rows = [measure(recipe, seed) for seed in seeds]
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    SEEDS.mkdir(exist_ok=True)
    found = {"recipe": recipe, "judge": PROTOCOLS["mnist"].judged_by, "rows": rows}
    (SEEDS / f"{recipe}.json").write_text(json.dumps(found, indent=1) + "\n")
    print(table())


if __name__ == "__main__":
    main()
