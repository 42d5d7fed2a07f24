"""Writes the README's tables of results: every recipe, trained and measured.

    python scripts/experiments/results.py --data_dir=FOLDER [RECIPE ...]
    python scripts/experiments/results.py --only_write

Each image recipe trains on real MNIST for its budget below, from each of its seeds, in
runs/results; a run that is there already goes on, or is only measured. What
``python -m tfgan_mnist.evaluate --data_dir=FOLDER`` says of each model goes into
samples/results.json, and from there into README.md, with what samples/make.py found of
the toys, scripts/experiments/epochs.py of longer training, scripts/experiments/race.py of time and
scripts/experiments/seeds.py of collapse.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUNS = Path("runs") / "results"
RESULTS = ROOT / "samples" / "results.json"
README = ROOT / "README.md"

# Flags in place of the recipe's: a budget for two cores; and the seeds.
RECIPES: dict[str, tuple[list[str], tuple[int, ...]]] = {
    "dcgan": (["--max_seconds=900", "--evaluate_every=100"], (1,)),
    "dcgan_tutorial": (["--max_seconds=600", "--evaluate_every=100"], (1,)),
    "dcgan32": (["--max_seconds=300"], (1,)),
    "dcgan32_cured": (["--evaluate_every=0"], (1,)),  # as epochs.py trains it
    "dcgan_cpu": (["--dataset=mnist"], (1, 2, 3)),
    "dcgan_fast": ([], (1, 2, 3)),
    "cdcgan_fast": ([], (1,)),
    "mlp": (["--max_seconds=300"], (1,)),
    "cgan_onehot": (["--max_seconds=300"], (1,)),
    "cgan_embedding": (["--max_seconds=300"], (1,)),
    "cdcgan": (["--max_seconds=600", "--evaluate_every=100"], (1,)),
}
COLUMNS = {
    "fcd_10k": "distance",
    "precision_10k": "precision",
    "recall_10k": "recall",
    "coverage_10k": "coverage",
    "diversity_10k": "diversity",
    "classes_10k": "classes",
    "class_kl_10k": "class KL",
    "digit_agreement_10k": "as asked",
    "accuracy_10k": "accuracy",
    "copies_1k": "copies",
}


def run(recipe: str, seed: int, data_dir: str) -> dict:
    """Trains a recipe from a seed and measures it; what is to be said of that."""
    from tfgan_mnist.system.command import run_command

    run_dir = RUNS / f"{recipe}-{seed}"
    flags, _ = RECIPES[recipe]
    trained_by = [f"--flagfile={recipe}.flags", *flags, f"--seed={seed}"]
    words = [*trained_by, f"--run_dir={run_dir}", f"--data_dir={data_dir}"]
    run_command("train", words)
    model, scores = run_dir / "saved_model", run_dir / "evaluation.json"
    words = [f"--saved_model={model}", f"--output={scores}", f"--data_dir={data_dir}"]
    run_command("evaluate", words)

    from tfgan_mnist.system.runtime import load_tensorflow

    load_tensorflow()
    from tfgan_mnist.runner import alarms
    from tfgan_mnist.serving.saved_model import read_metadata
    from tfgan_mnist.training.run_directory import RunDirectory

    found = json.loads(scores.read_text())
    seconds = read_metadata(model)["seconds"]
    rung = alarms(RunDirectory(run_dir))
    command = " ".join(["python -m tfgan_mnist.train", *trained_by])
    return {
        "command": command,
        "seed": seed,
        "seconds": seconds,
        "alarms": rung,
        **found,
    }


def cell(name: str, runs: list[dict]) -> str:
    """A score's mean over the seeds, ± their deviation; a dash if there is none.

    The deviation of a single run is that over its sampling seeds.
    """
    if name not in runs[0]["scores"]:
        return "–"
    means = [run["scores"][name]["mean"] for run in runs]
    digits = 0 if name.startswith("classes") else 3 if max(means) < 2.0 else 1
    deviation = runs[0]["scores"][name]["deviation"]
    if len(means) > 1:
        deviation = statistics.pstdev(means)
    return f"{statistics.mean(means):.{digits}f} ± {deviation:.{digits}f}"


def real_cell(name: str, results: dict[str, list[dict]]) -> str:
    for runs in results.values():
        scores = runs[0]["scores"].get(name, {})
        if "real" in scores:
            return f"{scores['real']:.{0 if name.startswith('classes') else 3}f}"
    return "–"


def table(results: dict[str, list[dict]]) -> str:
    """The table as Markdown, with what it rests on below."""
    heads = ["recipe", "steps", "minutes", "seeds", *COLUMNS.values(), "alarm"]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    for recipe, runs in results.items():
        minutes = statistics.mean(run["seconds"] for run in runs) / 60
        rung = [run["alarms"] for run in runs if run["alarms"] is not None]
        loud = sum(bool(sentences) for sentences in rung)
        cells = [
            f"`{recipe}`",
            f"{statistics.mean(run['step'] for run in runs):,.0f}",
            f"{minutes:.1f}",
            str(len(runs)),
            *(cell(name, runs) for name in COLUMNS),
            "–" if not rung else "silent" if not loud else f"{loud} of {len(rung)}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    cells = ["real images", "", "", ""]
    cells += [*(real_cell(name, results) for name in COLUMNS), ""]
    lines.append("| " + " | ".join(cells) + " |")
    judges = sorted({run["judge"] for runs in results.values() for run in runs})
    words = (
        f"By {', '.join(judges)}, on 10,000 samples (copies: 1,000), mean over three "
        "sampling seeds ± their deviation, or that over training seeds. Real images "
        "are the test images; for accuracy, so many training images. A dash under "
        "alarm: too few scores to judge, or none asked for. `python scripts/experiments/results.py "
        "--data_dir=FOLDER` trained these, on two cores that other work shared, "
        "measured and wrote this table; each one's command, what the alarm said and "
        "all figures are in [samples/results.json](samples/results.json)."
    )
    return "\n".join(lines) + f"\n\n{words}\n"


TOYS = {
    "gaussian": {"mean": "mean", "deviation": "deviation", "ks": "KS"},
    "moons": {"near_arcs": "near the arcs", "bins": "bins of 20"},
    "ring": {"modes": "modes", "high_quality": "high quality", "reverse_kl": "KL"},
    "grid": {"modes": "modes", "high_quality": "high quality", "reverse_kl": "KL"},
    "stacked": {"modes_26k": "modes of 1,000", "kl_26k": "KL"},
}


def toys_table() -> str:
    """What ``samples/make.py`` measured of the toys, as Markdown."""
    lines = [
        "| recipe | steps | seconds | seeds | mean over seeds (least – greatest) |"
    ]
    lines.append("| --- | ---: | ---: | ---: | --- |")
    for folder in sorted((ROOT / "samples").iterdir()):
        kind = folder.name.split("_")[0]
        if kind not in TOYS:
            continue
        runs = json.loads((folder / "scores.json").read_text())
        facts = json.loads((folder / "made_by.json").read_text())
        figures = []
        for name, label in TOYS[kind].items():
            means = [run["scores"][name]["mean"] for run in runs]
            text = f"{label} {statistics.mean(means):.3g}"
            if len(means) > 1:
                text += f" ({min(means):.3g} – {max(means):.3g})"
            figures.append(text)
        lines.append(
            f"| `{folder.name}` | {facts['step']:,} | {facts['seconds']:.0f} "
            f"| {len(runs)} | {', '.join(figures)} |"
        )
    words = (
        "`python samples/make.py` trained them, while other work shared the two cores, "
        "and measured three sampling seeds of each; what figures mean is said below."
    )
    return "\n".join(lines) + f"\n\n{words}\n"


def epochs_table() -> str:
    """What ``scripts/experiments/epochs.py`` measured, as Markdown."""
    tables = []
    for path in sorted((ROOT / "samples" / "epochs").glob("*.json")):
        found = json.loads(path.read_text())
        rows = found["rows"]
        names = {name: COLUMNS[name] for name in found["shown"]}
        best = min(rows, key=lambda row: row["fcd_10k"])
        half = min(rows, key=lambda row: abs(row["epoch"] - rows[-1]["epoch"] / 2))
        text = f"| `{found['recipe']}` | " + " | ".join(names.values()) + " |\n"
        text += "| --- |" + " ---: |" * len(names) + "\n"
        marked = [("best, at", best), ("at", half), ("at", rows[-1])]
        if best is rows[-1]:
            marked = [("at", half), ("last and best, at", best)]
        for what, row in marked:
            cells = [f"{row[name]:.3f}" for name in names]
            text += f"| {what} epoch {row['epoch']:.0f} | {' | '.join(cells)} |\n"
        cells = [f"{found['real'][name]:.3f}" for name in names]
        text += f"| held-out real images | {' | '.join(cells)} |\n\n"
        text += (
            f"![over epochs](samples/epochs/{found['recipe']}.png)\n\n"
            f"`python scripts/experiments/epochs.py {found['recipe']} --data_dir=FOLDER` trained "
            f"it once for {rows[-1]['epoch']:.0f} epochs on real MNIST "
            f"({found['seconds'] / 60:.0f} minutes) and measured 10,000 samples from "
            f"the same latents every second epoch, by {found['judge']}; dashed lines "
            "are held-out real images.\n"
        )
        tables.append(text)
    return "\n".join(tables)


def write(results: dict[str, list[dict]]) -> None:
    """Puts the tables between their marks in README.md."""
    sys.path.insert(0, str(ROOT / "scripts"))
    import race
    import seeds

    text = README.read_text()
    for name, new in (
        ("results", table(results)),
        ("epochs", epochs_table()),
        ("toys", toys_table()),
        ("race", race.table(race.read_record(race.RACE))),
        ("seeds", seeds.table()),
    ):
        begin, end = (f"<!-- {name}: {word} -->\n" for word in ("begin", "end"))
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = before + begin + new + end + after
    README.write_text(text)


def main(argv: Sequence[str]) -> None:
    from tfgan_mnist.system.command import Parser

    parser = Parser(__doc__)
    parser.add_data_dir()
    parser.add_argument(
        "--only_write", action="store_true", help="tables of what was measured before"
    )
    parser.add_argument("recipes", nargs="*", help="by default all")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.recipes) - set(RECIPES):
        parser.error(f"no budget for {min(unknown)}; there are: {', '.join(RECIPES)}")
    try:
        results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    except ValueError as error:
        parser.error(f"{RESULTS}: is damaged ({error})")
    if arguments.only_write:
        if not results:
            parser.error(f"{RESULTS}: nothing was measured yet")
        write(results)
        return
    if not arguments.data_dir:
        parser.error("--data_dir=FOLDER is missing: a prepared copy of MNIST")
    for recipe in arguments.recipes or RECIPES:
        runs = [run(recipe, seed, arguments.data_dir) for seed in RECIPES[recipe][1]]
        results[recipe] = runs
        results = {name: results[name] for name in RECIPES if name in results}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        write(results)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from tfgan_mnist.system import command

    sys.exit(command.run(main))
