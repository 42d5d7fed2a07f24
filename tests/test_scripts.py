import dataclasses
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import tiny_config

from tfgan_mnist.build import build_gan
from tfgan_mnist.config import Config, find_recipe, flag_of, parse_flags, read_config
from tfgan_mnist.system.errors import UserError

ROOT = Path(__file__).parents[1]


def load(path: str):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_gflop_of_the_published_dcgan():
    """Multiply-adds by hand: each kernel times the places it is applied at."""
    config = read_config(find_recipe("dcgan"))
    g = 100 * 4608 + 25 * (9 * 512 * 256 + 36 * 256 * 128 + 144 * 128 * 64 + 576 * 64)
    d = 25 * (196 * 64 + 49 * 64 * 128 + 16 * 128 * 256 + 4 * 256 * 512) + 2048
    # G: two passes forward, two back at twice the price; D: one update of both
    # batches at three passes each, and twice forward and back to its images.
    expected = (2 * g + 2 * 2 * g + 6 * d + 2 * 2 * d) * 100 * 2 / 1e9
    found = load("scripts/experiments/benchmark.py").gflop_per_step(
        config, build_gan(config)
    )
    assert found == pytest.approx(expected)
    assert 175 < found < 185


def test_gflop_of_networks_in_networks():
    """A label's share: a wider input of G, and a sum of products in D."""
    gflop = load("scripts/experiments/benchmark.py").gflop_per_step
    found = {}
    for recipe in ("dcgan", "cdcgan"):
        config = read_config(find_recipe(recipe))
        config = dataclasses.replace(config, batch_size=100, latent_dim=100)
        found[recipe] = gflop(config, build_gan(config))
    assert found["dcgan"] < found["cdcgan"] < 1.01 * found["dcgan"]


def test_the_plain_loop_trains_the_networks_and_leaves_ours_alone(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from plain_loop import plain_loop

    from tfgan_mnist.networks import dcgan
    from tfgan_mnist.networks.layers import SmallMapConv2D

    images = np.zeros([20, 28, 28, 1], np.uint8)
    for recipe in ("dcgan", "dcgan_tutorial"):
        train, generator = plain_loop(tiny_config(recipe), images)
        before = generator.get_weights()
        train()
        after = generator.get_weights()
        assert all(np.isfinite(w).all() for w in after)
        assert any((a != b).any() for a, b in zip(before, after, strict=True))
    assert dcgan.SmallMapConv2D is SmallMapConv2D


def test_the_checkpoints_of_a_run_are_measured(trained):
    found = load("scripts/experiments/epochs.py").measure(trained, "")
    assert [row["step"] for row in found["rows"]][-1] == 12
    assert all(row["fcd_10k"] > 10 * found["real"]["fcd_10k"] for row in found["rows"])
    assert set(found["shown"]) <= set(found["rows"][0])


NAMES = (
    "benchmark",
    "describe_real",
    "epochs",
    "other_judges",
    "race",
    "reestimate",
    "results",
    "seeds",
    "train_judge",
)
SCRIPTS = [f"scripts/{name}.py" for name in NAMES]


def test_what_surrounds_the_updates_is_timed():
    """One turn of the benchmark: a run's own hooks, scores and saved models."""
    words = ["--turn", "ours", "dcgan_cpu", "0.1"]
    path = str(ROOT / "scripts/experiments/benchmark.py")
    done = subprocess.run([sys.executable, path, *words], capture_output=True)
    found = json.loads(done.stdout)
    assert {"data", "hooks", "python", "scores"} <= set(found)
    assert min(found[name] for name in ("data", "hooks", "python", "scores")) > 0


@pytest.mark.parametrize("script", [*SCRIPTS, "samples/make.py"])
def test_scripts_answer_for_help_and_bad_words(script):
    path = str(ROOT / script)
    done = subprocess.run(
        [sys.executable, path, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "usage" in done.stdout
    for words in (["--nonsense"], ["--data_dir=nowhere"]):
        if script.endswith("benchmark.py") and words != ["--nonsense"]:
            continue  # it needs no data
        done = subprocess.run(
            [sys.executable, path, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert done.stderr.startswith("error: ")
        assert words[0] in done.stderr or "are required" in done.stderr


def test_shell_scripts_are_sound():
    for script in sorted((ROOT / "scripts").glob("*.sh")):
        subprocess.run(["bash", "-n", str(script)], check=True)


def test_every_recipe_has_a_budget_for_its_samples():
    from tfgan_mnist.config import recipes

    assert set(load("samples/make.py").BUDGETS) == set(recipes())


def test_an_installed_package_has_its_data(tmp_path):
    """Not only an editable one: recipes and the judge's weights are package data."""
    words = ["setup.py", "--quiet", "build", "--build-base", str(tmp_path)]
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True)
    built = {str(p.relative_to(ROOT)) for p in ROOT.glob("tfgan_mnist/**/*.flags")}
    built |= {f"tfgan_mnist/metrics/{name}.npz" for name in ("judge", "real")}
    for path in built:
        assert (tmp_path / "lib" / path).is_file(), path


def test_what_is_imported_is_declared():
    import ast
    import configparser

    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg")
    lines = options["options"]["install_requires"].splitlines()
    declared = {re.match(r"[\w-]*", line)[0].replace("-", "_") for line in lines}
    names = {"sklearn": "scikit_learn", "PIL": "pillow", "absl": "absl_py"}
    names["tensorflow_serving"] = "tensorflow_serving_api"
    for path in ROOT.glob("tfgan_mnist/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                modules = [node.module]
            for module in {module.split(".")[0] for module in modules}:
                known = module in sys.stdlib_module_names or module == "tfgan_mnist"
                assert known or names.get(module, module) in declared, (path, module)


def test_the_tables_of_the_readme_are_those_of_the_record(tmp_path, monkeypatch):
    """README holds what the script makes of the records in samples/, to the letter."""
    results = load("scripts/experiments/results.py")
    readme = results.README.read_text()
    copy = tmp_path / "README.md"
    between = r"<!-- (\w+): begin -->\n(.*?)<!-- \1: end -->"
    tables = dict(re.findall(between, readme, re.DOTALL))
    emptied = readme
    for text in tables.values():
        emptied = emptied.replace(text, "")
    copy.write_text(emptied)
    monkeypatch.setattr(results, "README", copy)
    kept = json.loads(results.RESULTS.read_text())
    assert set(kept) == set(results.RECIPES)
    results.write(kept)
    assert set(tables) == {"results", "epochs", "toys", "race", "seeds"}
    assert all(text.startswith("| ") for text in tables.values())
    assert dict(re.findall(between, copy.read_text(), re.DOTALL)) == tables


def test_every_image_recipe_is_in_the_table_of_results():
    from tfgan_mnist.config import DATASETS, recipes

    images = {
        name
        for name in recipes()
        if DATASETS[read_config(find_recipe(name)).dataset].makes == "images"
    }
    assert set(load("scripts/experiments/results.py").RECIPES) == images


def test_the_table_of_a_race():
    """Two seeds, one of which ran longer; a level counts once it is reached."""
    race = load("scripts/experiments/race.py")

    def row(mark, distance):
        shares = {"precision_10k": 0.5 + mark / 1000, "recall_10k": 0.25}
        return {"mark": mark, "seconds": mark + 0.2, "fcd_10k": distance, **shares}

    short = [row(12, 31.0), row(60, 4.0), row(300, 2.5)]
    long = [row(12, 30.0), row(60, 6.0), row(300, 1.5), row(900, 1.0)]
    assert race.reached(long, 30) == 12.2
    assert race.reached(long, 5) == 300.2
    assert race.reached(short, 2) is None
    assert race.at(short, 60) == 4.0
    assert race.at(short, 900) is None
    real = {"fcd_10k": 0.03, "precision_10k": 0.97, "recall_10k": 0.96}
    runs = {"dcgan_fast": {"1": long, "2": short}}
    text = race.table({"judge": "judge-1", "real": real, "runs": runs})
    cells = [cell.strip() for cell in text.splitlines()[2].split("|")[1:-1]]
    assert cells[:2] == ["`dcgan_fast`", "2"]
    assert cells[2:7] == ["36 (12 – 60)", "60 (60 – 60)", "180 (60 – 300)", "–", "–"]
    assert cells[7:11] == ["5.00 (4.00 – 6.00)", "2.00 (1.50 – 2.50)", "1.00", "–"]
    assert cells[11:] == ["0.800 (0.800 – 0.800)", "0.250 (0.250 – 0.250)"]
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {14}


def test_the_table_of_many_seeds(tmp_path, monkeypatch):
    seeds = load("scripts/experiments/seeds.py")
    shared = {"step": 2000, "seconds": 60.0, "precision_10k": 0.5, "recall_10k": 0.25}
    rows = [
        {**shared, "fcd_10k": 0.5, "classes_10k": 10, "class_kl_10k": 0.01},
        {**shared, "fcd_10k": 1.5, "classes_10k": 9, "class_kl_10k": 0.07},
    ]
    rows[0]["alarms"], rows[1]["alarms"] = [], ["classes were missing"]
    found = {"recipe": "some", "command": "run", "judge": "judge-1", "rows": rows}
    (tmp_path / "some.json").write_text(json.dumps(found))
    monkeypatch.setattr(seeds, "SEEDS", tmp_path)
    cells = [cell.strip() for cell in seeds.table().splitlines()[2].split("|")[1:-1]]
    assert cells[:3] == ["`some`", "2", "2,000 (2,000 – 2,000)"]
    assert cells[4] == "1.000 (0.500 – 1.500)"
    assert cells[7:] == ["9.5 (9 – 10)", "0.040 (0.010 – 0.070)", "1 rang"]
    rows[0]["alarms"] = None
    (tmp_path / "some.json").write_text(json.dumps(found))
    assert "| 1 rang, 1 not judged |" in seeds.table()
    assert "by judge-1. `run` trained" in seeds.table()
    other = {**found, "recipe": "other", "command": "other", "judge": "judge-0"}
    (tmp_path / "other.json").write_text(json.dumps(other))
    assert "by judge-0, judge-1. `other`, `run` trained" in seeds.table()
    monkeypatch.setattr(seeds, "SEEDS", tmp_path / "nowhere")
    assert seeds.table() == ""


@pytest.mark.parametrize("asked", [0, 600])
def test_seeds_scored_at_other_steps_are_left_alone(tmp_path, asked):
    """They would be measured as if they had been trained by the command given."""
    run_dir = tmp_path / "runs" / "seeds" / "dcgan_fast-3"
    run_dir.mkdir(parents=True)
    flags = find_recipe("dcgan_fast").read_text()
    (run_dir / "config.flags").write_text(flags)
    words = ["dcgan_fast", "--count=3", f"--evaluate_every={asked}"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/experiments/seeds.py"), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"error: --evaluate_every={asked}: runs/seeds/dcgan_fast-3 was scored every "
        "760 steps; ask for the same, or remove it\n"
    )
    assert (run_dir / "config.flags").read_text() == flags
    assert len(list(run_dir.parent.iterdir())) == 1


def test_the_other_judges_look_at_samples_and_are_kept(tmp_path, monkeypatch):
    script = load("scripts/experiments/other_judges.py")
    monkeypatch.setattr(script, "KEPT", tmp_path)
    random = np.random.default_rng(1)
    images = random.random([200, 28, 28, 1], np.float32)
    labels = random.integers(10, size=200)
    features = {}
    for name, width in (("second", 64), ("third", 96)):
        judge = script.trained(name, images, labels)
        features[name], logits = judge.predict(images, verbose=0)
        assert features[name].shape == (200, width)
        again, _ = script.trained(name, images, labels).predict(images, verbose=0)
        np.testing.assert_array_equal(again, features[name])
        opinion = script.Opinion(judge, images)
        # What is known, seen again: nothing is strange, nothing is left out.
        distance, *shares = opinion.cells(images, logits.argmax(1))
        assert abs(float(distance)) < 0.01
        assert shares == ["1.000", "1.000", "1.0000"]
        assert opinion.cells(images[:1].repeat(200, 0), None)[3] == "–"
    (tmp_path / "second_judge.keras").write_bytes(b"broken")
    with pytest.raises(UserError, match=r"second_judge\.keras: cannot be read"):
        script.trained("second", images, labels)


def test_the_samples_are_of_the_recipes_as_they_are():
    """Flags that a sample was made with are the recipe's, and its budget's."""
    script = load("samples/make.py")
    modes = {False: "off", True: "step"}  # as they were once called
    for recipe, budget in script.BUDGETS.items():
        config = Config(**parse_flags([f"--flagfile={recipe}", *budget], Config))
        made_by = json.loads((script.HERE / recipe / "made_by.json").read_text())
        made_with = made_by["flags"]
        if "jit_compile" in made_with:
            mode = made_with["jit_compile"]
            made_with["jit_compile"] = modes.get(mode, mode)
        for field in dataclasses.fields(Config):
            if flag_of(field).same_run or field.name == "evaluate_every":
                expected = getattr(config, field.name)
                assert made_with.get(field.name, expected) == expected, recipe


def test_an_opinion_on_nothing_is_one_line():
    path = str(ROOT / "scripts/experiments/other_judges.py")
    done = subprocess.run(
        [sys.executable, path, "nowhere"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "error: SAVED_MODEL=nowhere: there is no such folder\n"


def test_statistics_are_those_of_the_network_itself(monkeypatch):
    """The first layer's follow from its weights and the latents alone."""
    script = load("scripts/experiments/reestimate.py")
    monkeypatch.setattr(script, "BATCHES", 3)
    monkeypatch.setattr(script, "BATCH_SIZE", 8)
    gan = build_gan(tiny_config("dcgan_cpu"))
    last, network = gan.generator, keras.models.clone_model(gan.generator)
    dense, first = network.layers[0], next(script.normalisations(network))
    assert len(list(script.normalisations(network))) == 4
    script.reestimate(gan, network)
    activations = [
        dense(gan.draw_latents(8, tf.constant([i, 0]))).numpy().reshape(-1, 32)
        for i in range(3)
    ]
    means = [x.mean(axis=0) for x in activations]
    np.testing.assert_allclose(first.moving_mean, np.mean(means, axis=0), atol=1e-6)
    variances = [x.var(axis=0) for x in activations]
    expected = np.mean(variances, axis=0)
    np.testing.assert_allclose(first.moving_variance, expected, rtol=1e-5)
    assert first.momentum == 0.9
    assert gan.generator is last


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (None, "holds no run"),
        ("ring", "does not make single digits"),
        ("dcgan", "its recipe has no --ema_decay"),
    ],
)
def test_runs_without_averaged_statistics_are_one_line(recipe, words, tmp_path):
    if recipe:
        (tmp_path / "config.flags").write_text(find_recipe(recipe).read_text())
    path = str(ROOT / "scripts/experiments/reestimate.py")
    done = subprocess.run(
        [sys.executable, path, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == f"error: RUN_DIR={tmp_path}: {words}\n"


def test_statistics_of_a_run(trained, tmp_path, monkeypatch):
    script = load("scripts/experiments/reestimate.py")
    monkeypatch.setattr(script, "BATCHES", 2)
    config = script.find_run(trained, "")
    with pytest.raises(UserError, match="has no checkpoint that can be read"):
        script.measure(tmp_path, config)
    cells = script.measure(trained, config).strip("| ").split(" | ")
    assert cells[:3] == ["`dcgan_cpu`", "1", "12"]
    assert len(set(cells[3:])) == 3  # each way another distance
    assert min(float(cell) for cell in cells[3:]) > 10.0
