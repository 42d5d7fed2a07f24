import concurrent.futures
import dataclasses
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import imageio.v3 as imageio
import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import PREPARED_MNIST, needs_mnist, tiny_config, untrained
from PIL import Image

from tfgan_mnist.build import build_gan
from tfgan_mnist.config import Config, find_recipe, parse_config, read_config, recipes
from tfgan_mnist.data.examples import as_floats
from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.data.pairs import FONTS, reduced
from tfgan_mnist.registry import DATASETS
from tfgan_mnist.serving.reader import LoadedModel
from tfgan_mnist.system.errors import RunStopped, UserError
from tfgan_mnist.system.flags import flag_of

ROOT = Path(__file__).parents[1]
SCRIPTS = ROOT / "scripts" / "experiments"


@pytest.fixture(autouse=True)
def beside_each_other(monkeypatch):
    """Scripts import each other, as they do when one is run."""
    monkeypatch.syspath_prepend(str(SCRIPTS))


def load(name: str):
    """A script as a module of its own, to change things in."""
    path = SCRIPTS / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"own_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look
    spec.loader.exec_module(module)
    return module


def cells(line: str) -> list[str]:
    """Of a row of a Markdown table."""
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_gflop_of_the_published_dcgan():
    """Multiply-adds by hand: each kernel times the places it is applied at."""
    config = read_config(find_recipe("dcgan"))
    g = 100 * 4608 + 25 * (9 * 512 * 256 + 36 * 256 * 128 + 144 * 128 * 64 + 576 * 64)
    d = 25 * (196 * 64 + 49 * 64 * 128 + 16 * 128 * 256 + 4 * 256 * 512) + 2048
    # G: two passes forward, two back at twice the price; D: one update of both
    # batches at three passes each, and twice forward and back to its images.
    expected = (2 * g + 2 * 2 * g + 6 * d + 2 * 2 * d) * 100 * 2 / 1e9
    found = load("benchmark").gflop_per_step(config, build_gan(config))
    assert found == pytest.approx(expected)
    assert 175 < found < 185


def test_gflop_of_networks_in_networks():
    """A label's share: a wider input of G, and a sum of products in D."""
    gflop = load("benchmark").gflop_per_step
    found = {}
    for recipe in ("dcgan", "cdcgan"):
        config = read_config(find_recipe(recipe))
        config = dataclasses.replace(config, batch_size=100, latent_dim=100)
        found[recipe] = gflop(config, build_gan(config))
    assert found["dcgan"] < found["cdcgan"] < 1.01 * found["dcgan"]


def test_gflop_of_networks_that_move_at_once():
    """D's one pass over the fakes serves both sides; nothing else is saved."""
    gflop = load("benchmark").gflop_per_step
    config = read_config(find_recipe("dcgan_tutorial"))
    assert config.simultaneous
    gan = build_gan(config)
    in_turn = dataclasses.replace(config, simultaneous=False, shared_draws="all")
    d = 25 * (196 * 64 + 49 * 64 * 128) + 6272
    saved = d * config.batch_size * 2 / 1e9
    assert gflop(in_turn, gan) - gflop(config, gan) == pytest.approx(saved)


def test_the_plain_loop_trains_the_networks_and_leaves_ours_alone():
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


def test_the_plain_loop_has_the_optimizer_of_the_recipe(monkeypatch):
    from plain_loop import plain_loop

    made = []
    adam = keras.optimizers.Adam
    monkeypatch.setattr(
        keras.optimizers, "Adam", lambda *a, **k: made.append(adam(*a, **k)) or made[-1]
    )
    config = tiny_config("dcgan_tutorial", beta_1=0.25, beta_2=0.5, epsilon=0.125)
    plain_loop(config, np.zeros([20, 28, 28, 1], np.uint8))
    assert [(o.beta_1, o.beta_2, o.epsilon) for o in made] == [(0.25, 0.5, 0.125)] * 2


def test_the_checkpoints_of_a_run_are_measured(trained, tmp_path):
    run_dir = shutil.copytree(trained, tmp_path / "run")
    (run_dir / "checkpoints" / "step_0000005.npz").unlink()
    found = load("epochs").measure(run_dir, "")
    assert [row["step"] for row in found["rows"]] == [10, 12]
    assert all(row["fcd_10k"] > 10 * found["real"]["fcd_10k"] for row in found["rows"])
    assert set(found["shown"]) <= set(found["rows"][0])


def test_what_surrounds_the_updates_is_timed():
    """One turn of the benchmark: a run's own hooks, evaluations and saved models."""
    words = ["--turn", "--programs=ours", "--seconds=0.1", "mlp"]
    path = str(SCRIPTS / "benchmark.py")
    done = subprocess.run([sys.executable, path, *words], capture_output=True)
    found = json.loads(done.stdout)
    parts = ("data", "hooks", "python", "evaluation")
    assert set(parts) <= set(found), done.stderr
    assert min(found[name] for name in parts) > 0


def test_pix2pix_of_pytorch_is_the_package_s():
    """As many weights, and outputs of the same size; batch normalisation's aside."""
    torch = pytest.importorskip("torch")
    from plain_pix2pix import make_all_pairs, torch_loop, torch_networks

    from tfgan_mnist.build import build_networks

    for recipe in ("colour", "frames"):
        config = tiny_config(recipe)
        (size, _, source), (_, _, target) = config.shapes
        networks = torch_networks(size, source, target, config.base_channels)
        ours = build_networks(config)
        for name, other in zip(("generator", "discriminator"), networks, strict=True):
            count = sum(p.numel() for p in other.parameters())
            assert count == sum(w.numpy().size for w in ours[name].trainable_weights)
        images = torch.zeros([2, source, size, size])
        outputs = networks[0](images)
        assert outputs.shape == (2, target, size, size)
        patches = networks[1](torch.cat([outputs, images], 1)).shape[2:]
        assert patches == ours["discriminator"].outputs[0].shape[1:3]
    config = tiny_config("colour")
    sources, targets = (some[:40] for some in make_all_pairs(config))
    train = torch_loop(config, sources, targets)
    losses = [train() for _ in range(12)]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])


def test_the_plain_loop_of_pix2pix_learns():
    from plain_pix2pix import make_all_pairs, tensorflow_loop

    config = tiny_config("colour", generator_learning_rate=0.003)
    sources, targets = (some[:40] for some in make_all_pairs(config))
    train = tensorflow_loop(config, sources, targets)
    losses = [train() for _ in range(12)]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])


def test_images_a_second_are_of_the_saved_model(tmp_path):
    path = untrained("superres", tmp_path)
    rate = load("benchmark").images_a_second(path, np.zeros([3, 28, 28, 1], np.float32))
    assert 0.0 < rate < 1e6


COMMANDS = {path.stem for path in SCRIPTS.glob("*.py")} - {
    "common",
    "plain_loop",
    "plain_pix2pix",
}


@pytest.mark.parametrize("script", sorted(COMMANDS))
def test_scripts_answer_for_help_and_bad_words(script):
    path = str(SCRIPTS / f"{script}.py")
    done = subprocess.run(
        [sys.executable, path, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[2].strip().startswith(("python ", "bash "))  # how it is called
    assert script == "theory" or any(line.startswith("  --") for line in lines)
    for words in (["--nonsense"], ["--data_dir=nowhere"]):
        done = subprocess.run(
            [sys.executable, path, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert done.stderr.startswith("error: ")
        assert words[0].strip("-").partition("=")[0] in done.stderr


def test_names_in_a_flag_or_among_the_words_of_a_script():
    common = load("common")
    assert common.parse_names("", "programs", ["ours", "plain"]) == ["ours", "plain"]
    assert common.parse_names("plain", "programs", ["ours", "plain"]) == ["plain"]
    with pytest.raises(UserError, match=r"--programs=plane: .*did you mean 'plain'"):
        common.parse_names("plane", "programs", ["ours", "plain"])
    words = ["mlp", "--data_dir=", "dcgan"]
    flags, names = common.read_words(words, "", common.DataFlags, ["mlp", "dcgan"])
    assert (flags.data_dir, names) == ("", ["mlp", "dcgan"])
    with pytest.raises(UserError, match=r"'mpl': .*did you mean 'mlp'"):
        common.read_words(["mpl"], "", common.DataFlags, ["mlp", "dcgan"])
    with pytest.raises(UserError, match="'mlp': belongs to no flag"):
        common.read_words(["mlp"], "", common.DataFlags)
    with pytest.raises(UserError, match="RECIPE is missing"):
        common.read_words([], "", common.DataFlags, ["mlp"], needed="RECIPE")


def test_shell_scripts_are_sound():
    for script in sorted((ROOT / "scripts").glob("*.sh")):
        subprocess.run(["bash", "-n", str(script)], check=True)


def test_every_recipe_has_a_budget_for_its_samples():
    """Or stands beside others, in the comparison of losses or of translations."""
    budgets, compared = set(load("pictures").BUDGETS), set(load("losses").RECIPES)
    compared |= set(load("translations").RECIPES)
    assert budgets | compared == set(recipes())
    assert not budgets & compared


def test_an_installed_package_has_its_data(tmp_path):
    """Not only an editable one: recipes, the judge's weights and images are data."""
    words = ["setup.py", "--quiet", "build", "--build-base", str(tmp_path)]
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True)
    built = {str(p.relative_to(ROOT)) for p in ROOT.glob("tfgan_mnist/**/*.flags")}
    folder = "tfgan_mnist/evaluation/metrics"
    built |= {f"{folder}/{name}.npz" for name in ("judge", "real")}
    built |= {"tfgan_mnist/data/mnist5k.npz", "tfgan_mnist/py.typed"}
    built |= {f"tfgan_mnist/pretrained/{n}.npz" for n in ("dcgan_fast", "cdcgan_fast")}
    for path in built:
        assert (tmp_path / "lib" / path).is_file(), path


def test_what_is_imported_is_declared():
    import ast
    import configparser

    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg")
    lines = options["options"]["install_requires"].splitlines()
    lines += options["options.extras_require"]["ray"].splitlines()
    declared = {re.match(r"[\w-]*", line)[0].replace("-", "_") for line in lines}
    names = {"sklearn": "scikit_learn", "PIL": "pillow", "absl": "absl_py"}
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


BETWEEN = r"<!-- (\w+): begin -->\n(.*?)<!-- \1: end -->"


def test_the_tables_are_those_of_the_records(tmp_path, monkeypatch):
    """Pages hold what the script makes of the records in samples/, to the letter."""
    results = load("results")
    kept = json.loads(results.RESULTS.read_text())
    assert set(kept) <= set(results.RECIPES)
    names = ("recipes", "toys", "benchmarks")
    pages = [results.README, *(results.DOCS / f"{name}.md" for name in names)]
    own = {"recipes", "results", "toys", "race", "seeds", "epochs"}
    tables = {}
    for page in pages:
        text = page.read_text()
        found = dict(re.findall(BETWEEN, text, re.DOTALL))
        for name in own & set(found):  # the others are other scripts'
            assert found[name].startswith("| ")
            text = text.replace(found[name], "")
            tables[name] = found[name]
        (tmp_path / page.name).write_text(text)
    assert set(tables) == own
    monkeypatch.setattr(results, "README", tmp_path / "README.md")
    monkeypatch.setattr(results, "DOCS", tmp_path)
    results.write(kept)
    for page in pages:
        assert (tmp_path / page.name).read_text() == page.read_text()


def test_the_page_of_samples_is_that_of_the_records():
    pictures = load("pictures")
    assert pictures.page() == (pictures.SAMPLES / "README.md").read_text()


def test_a_thumbnail_is_a_small_sheet():
    """Nobody has to load megabytes to look at the page."""
    pictures = load("pictures")
    made = pictures.thumbnail("ring")
    width, height = imageio.imread(made).shape[1::-1]
    assert (width, height) == (280, 124)  # of 900 by 400
    sizes = [p.stat().st_size for p in pictures.SAMPLES.glob("*/thumbnail.webp")]
    assert len(sizes) == len(list(pictures.SAMPLES.glob("*/montage.png")))
    assert max(sizes) < 30_000


def test_what_is_stale_is_said_to_be():
    """A star in the table, and what it means below, until a new run is recorded."""
    results = load("results")
    results.RECIPES = {"dcgan_fast": ([], "1"), "mlp": ([], "1")}
    runs = {"dcgan_fast": [_measured(1, 0.5, [])], "mlp": [_measured(1, 0.25, [])]}
    fresh = results.recipes_table(runs, {}, {})
    assert [cells(line)[0] for line in fresh.splitlines()[2:]] == [
        "`mlp`",
        "`dcgan_fast`",
    ]
    assert [cells(line)[2:] for line in fresh.splitlines()[2:]] == [
        ["2", "0.25"],
        ["2", "0.50"],
    ]
    # What was found on a GPU stands where nothing else was found.
    schedules = {name: [_measured(1, 0.125, [])] for name in ("mlp", "cdcgan")}
    both = results.recipes_table(runs, {}, schedules).splitlines()[2:]
    assert [(cells(line)[0], *cells(line)[2:]) for line in both] == [
        ("`cdcgan`", "2 on a GPU", "0.12"),
        ("`mlp`", "2", "0.25"),
        ("`dcgan_fast`", "2", "0.50"),
    ]
    runs["mlp"][0]["stale"] = True
    *rows, blank, note = results.recipes_table(runs, {}, {}).splitlines()[2:]
    assert [cells(row)[0] for row in rows] == ["`mlp` \\*", "`dcgan_fast`"]
    assert blank == ""
    assert note.startswith("\\* Measured before")


def test_what_was_not_measured_is_said_to_be():
    results = load("results")
    results.RECIPES = {"mlp": ([], "1"), "dcgan_fast": ([], "1")}
    runs = {"mlp": [_measured(1, 0.25, [])]}
    last = cells(results.recipes_table(runs, {}, {}).splitlines()[-1])
    assert (last[0], last[2:]) == ("`dcgan_fast`", ["–", "–"])
    for run in runs["mlp"]:
        for metric in run["metrics"].values():
            metric["std"] = 0.0
    assert "Not measured yet: `dcgan_fast`.\n" in results.table(runs)


def test_every_image_recipe_is_in_a_table_of_results():
    images = {
        name
        for name in recipes()
        if DATASETS[read_config(find_recipe(name)).dataset].makes == "images"
    }
    names = ("results", "losses", "translations", "whole")
    results, losses, translations, whole = (set(load(name).RECIPES) for name in names)
    assert results | losses | translations | whole == images
    assert not results & losses
    assert not (results | losses | whole) & translations


def test_the_table_of_a_race():
    """Two seeds, one of which ran longer; a level counts once it is reached."""
    race = load("race")

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
    found = cells(text.splitlines()[2])
    assert found[:2] == ["`dcgan_fast`", "2"]
    assert found[2:7] == ["36 (12 – 60)", "60", "180 (60 – 300)", "–", "–"]
    assert found[7:11] == ["5.00 (4.00 – 6.00)", "2.00 (1.50 – 2.50)", "1.00", "–"]
    assert found[11:] == ["0.800", "0.250"]
    widths = {line.count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {14}
    assert race.table({}) == ""


def test_the_pictures_of_a_race_have_no_gaps():
    race = load("race")
    assert race.PICTURES % race.COLUMNS == 0


def test_the_strip_of_a_race_is_grey(tmp_path):
    """Colour channels would double the size of a file that pages load."""
    race = load("race")
    imageio.imwrite(tmp_path / "dcgan_fast_12.png", np.eye(40, dtype=np.uint8) * 255)
    rows = [{"seconds": 12.0, "fcd_10k": 3.0}, {"seconds": 60.0, "fcd_10k": 1.0}]
    record = {"real": {"fcd_10k": 0.03}, "runs": {"dcgan_fast": {"1": rows}}}
    race.draw(record, tmp_path)
    strip = imageio.imread(tmp_path / "strip.png")
    assert strip.ndim == 2
    assert strip.min() == 0
    assert strip.max() == 255
    assert imageio.imread(tmp_path / "race.png").ndim == 3


def test_the_table_of_many_seeds(tmp_path, monkeypatch):
    seeds = load("seeds")
    shared = {"step": 2000, "seconds": 60.0, "precision_10k": 0.5, "recall_10k": 0.25}
    rows = [
        {**shared, "fcd_10k": 0.5, "classes_10k": 10, "class_kl_10k": 0.01},
        {**shared, "fcd_10k": 1.5, "classes_10k": 9, "class_kl_10k": 0.07},
    ]
    rows[0]["alarms"], rows[1]["alarms"] = [], ["classes were missing"]
    found = {"recipe": "some", "command": "run", "judge": "judge-1", "rows": rows}
    (tmp_path / "some.json").write_text(json.dumps(found))
    monkeypatch.setattr(seeds, "SEEDS", tmp_path)
    row = cells(seeds.table().splitlines()[2])
    assert row[:3] == ["`some`", "2", "2,000"]
    assert row[4] == "1.000 (0.500 – 1.500)"
    assert row[7:] == ["9.5 (9 – 10)", "0.040 (0.010 – 0.070)", "1 rang"]
    rows[0]["alarms"] = None
    (tmp_path / "some.json").write_text(json.dumps(found))
    assert "| 1 rang, 1 not judged |" in seeds.table()
    assert "by judge-1. `run` trained" in seeds.table()
    other = {**found, "recipe": "other", "command": "other", "judge": "judge-0"}
    (tmp_path / "other.json").write_text(json.dumps(other))
    assert "by judge-0, judge-1. `other`, `run` trained" in seeds.table()
    monkeypatch.setattr(seeds, "SEEDS", tmp_path / "nowhere")
    assert seeds.table() == ""


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("--evaluate_every=0", "--evaluate_every=760"),
        ("--evaluate_every=600", "--evaluate_every=760"),
        ("--steps=900", "--steps=0"),
    ],
)
def test_seeds_of_other_steps_are_left_alone(tmp_path, asked, there):
    """They would be measured as if they had been trained by the command given."""
    run_dir = tmp_path / "runs" / "seeds" / "dcgan_fast-3"
    run_dir.mkdir(parents=True)
    flags = find_recipe("dcgan_fast").read_text()
    (run_dir / "config.flags").write_text(flags)
    words = ["dcgan_fast", "--count=3", asked]
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "seeds.py"), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {asked}: runs/seeds/dcgan_fast-3 has {there}; ask for the same, or "
        "remove it\n"
    )
    assert (run_dir / "config.flags").read_text() == flags
    assert len(list(run_dir.parent.iterdir())) == 1


def test_the_other_judges_look_at_samples_and_are_kept(tmp_path, monkeypatch):
    script = load("other_judges")
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
        found = opinion.metrics(images, logits.argmax(1))
        assert abs(found.pop("distance")) < 0.01
        names = ("precision", "recall", "diversity", "agreement")
        assert found == dict.fromkeys(names, 1.0)
        same = opinion.metrics(images[:1].repeat(200, 0), None)
        assert script.cells(same)[3:] == ["0.00", "–"]
    (tmp_path / "second_judge.keras").write_bytes(b"broken")
    with pytest.raises(UserError, match=r"second_judge\.keras: cannot be read"):
        script.trained("second", images, labels)


def test_the_package_s_judge_stands_beside_the_others():
    script = load("other_judges")
    images, labels = mnist5k()
    samples = images[::5] / np.float32(255.0)
    found = script.of_package(samples, labels[::5])
    assert list(found) == list(script.METRICS)
    assert found["agreement"] > 0.98
    assert found["distance"] < 1.0
    assert "agreement" not in script.of_package(samples, None)


def test_the_table_of_budgets():
    """A row for each run, a dash for what a recipe has not; real images at the end."""
    script = load("budgets")
    opinion = {"distance": 1.5, "precision": 0.5, "recall": 0.75}
    others = {judge: opinion for judge in script.JUDGES}
    more = {"others": others, "real_by_others": others}
    record = {
        "biggan-300": [
            _measured(seed, 3.0 + seed, [], digit_agreement_10k=0.9) | more
            for seed in (1, 2)
        ],
        "stylegan-900": [_measured(1, 4.0, []) | more],
    }
    lines = script.table(record).splitlines()
    heads, _, biggan, stylegan, real = map(cells, lines[:5])
    assert len(heads) == len(biggan) == len(stylegan) == len(real) == 15
    assert biggan[:5] == ["`biggan`", "300", "2", "1,000", "4.50 (4.00 – 5.00)"]
    assert biggan[7:13] == ["1.50", "0.500", "0.750"] * 2
    assert biggan[13:] == ["0.900", "–"]
    assert stylegan[:3] == ["`stylegan`", "900", "1"]
    assert stylegan[13] == "–"
    assert real[4] == "8.00"
    assert lines[5] == ""


def test_the_table_of_processors():
    script = load("processors")
    found = {"steps": 40, "processor": "A", "metrics": {"fcd_10k": {"mean": 2.0}}}
    ways = {way: [found | {"seed": 1}] for way in list(script.WAYS)[:2]}
    lines = script.table({"dcgan_fast": ways}).splitlines()
    heads, _, one, two = map(cells, lines[:4])
    assert len(heads) == len(one) == 9
    assert one[:5] == ["`dcgan_fast`", "native, 1 core", "1", "40", "2.00"]
    assert two[1] == "native, 2 cores"
    assert one[5:] == ["–"] * 4


def test_a_run_waits_for_the_cores_that_it_needs():
    cores = load("processors").Cores([4, 5])
    assert cores.take(1) == [4]
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        both = pool.submit(cores.take, 2)
        with pytest.raises(TimeoutError):
            both.result(timeout=0.2)
        cores.give_back([4])
        assert both.result(timeout=10) == [5, 4]


def test_the_samples_are_of_the_recipes_as_they_are():
    """Flags that a sample was made with are the recipe's, and its budget's."""
    script = load("pictures")
    stale = []
    for recipe, budget in script.BUDGETS.items():
        path = script.SAMPLES / recipe / "model.json"
        if not path.is_file():  # not trained to its end yet
            continue
        config = Config(**parse_config([f"--flagfile={recipe}", *budget]))
        model = json.loads(path.read_text())
        for field in dataclasses.fields(Config):
            if flag_of(field).same_run or field.name == "evaluate_every":
                expected = getattr(config, field.name)
                value = model["flags"].get(field.name, expected)
                made = dataclasses.replace(config, **{field.name: value})
                found = getattr(made, field.name)  # as it is called today
                if found != expected:
                    stale.append(f"{recipe}: --{field.name}={found}, not {expected}")
    assert not stale, "\n".join(stale)


def test_sheets_of_images_are_kept_twice_as_large(tmp_path):
    script = load("pictures")
    run_dir = tmp_path / "run"
    _run_of_pictures(run_dir, "stacked", np.arange(24, dtype=np.uint8).reshape(4, 2, 3))
    script.keep(run_dir, tmp_path / "kept")
    shown = imageio.imread(tmp_path / "kept" / "montage.png")
    assert shown.shape == (8, 4, 3)
    assert (shown[2:4, 2:4] == [9, 10, 11]).all()
    grey = imageio.imread(tmp_path / "kept" / "channels.png")
    assert grey.shape == (8, 12)
    assert [int(grey[3, 3 + 4 * i]) for i in range(3)] == [9, 10, 11]
    assert json.loads((tmp_path / "kept" / "model.json").read_text())["step"] == 7
    assert (tmp_path / "kept" / "loss.png").read_bytes() == b"a plot"
    assert not (tmp_path / "kept" / "metrics.png").exists()


def test_a_picture_of_points_is_kept_as_it_is(tmp_path):
    script = load("pictures")
    run_dir = tmp_path / "run"
    _run_of_pictures(run_dir, "ring", np.arange(12, dtype=np.uint8).reshape(4, 3))
    script.keep(run_dir, tmp_path / "kept")
    assert imageio.imread(tmp_path / "kept" / "montage.png").shape == (4, 3)
    assert not (tmp_path / "kept" / "channels.png").exists()


def _run_of_pictures(run_dir, dataset, sheet):
    """What ``pictures.keep`` looks at in a run."""
    metadata = run_dir / "saved_model" / "assets.extra" / "tfgan_mnist.json"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(json.dumps({"dataset": dataset, "step": 7}))
    (run_dir / "samples").mkdir()
    imageio.imwrite(run_dir / "samples" / "step_0000007.png", sheet)
    for name in ("progress.gif", "loss.png"):
        (run_dir / name).write_bytes(b"a plot")


def test_what_the_alarm_says_of_a_run(tmp_path):
    """Of the recipe's own sides and metrics; nothing of fewer than three rows."""
    from common import alarm_cell, alarms

    flags = find_recipe("non_saturating").read_text().replace("base_channels=16", "")
    flags = flags.replace("\n--\n", "\n") + "--base_channels=4\n"
    (tmp_path / "config.flags").write_text(flags)
    names = "step,discriminator,generator,fcd_1k,classes_1k,diversity_1k"
    rows = [f"{step},1.2,0.9,{60 - step // 40},10,1" for step in (400, 800, 1200)]
    (tmp_path / "metrics.csv").write_text("\n".join([names, *rows[:2], ""]))
    assert alarms(tmp_path) is None
    (tmp_path / "metrics.csv").write_text("\n".join([names, *rows, ""]))
    assert alarms(tmp_path) == []
    lost = [row.replace("1.2,0.9", "0.001,9") for row in rows]
    (tmp_path / "metrics.csv").write_text("\n".join([names, *lost, ""]))
    (sentence,) = alarms(tmp_path)
    assert "D has won" in sentence
    assert alarm_cell([None, None]) == "–"
    assert alarm_cell([None, [], []]) == "silent"
    assert alarm_cell([None, [], ["rang", "again"]]) == "1 of 2"


def test_a_text_goes_between_its_marks(tmp_path):
    from common import write_between_marks

    path = tmp_path / "some.md"
    path.write_text("before\n<!-- a: begin -->\nold\n<!-- a: end -->\nafter\n")
    write_between_marks(path, {"a": "new\n"})
    text = "before\n<!-- a: begin -->\nnew\n<!-- a: end -->\nafter\n"
    assert path.read_text() == text
    with pytest.raises(UserError, match=r"some\.md: lacks .*<!-- b: begin -->"):
        write_between_marks(path, {"a": "newer\n", "b": "new\n"})
    assert path.read_text() == text


def _measured(seed, fcd, alarms, **more):
    metrics = {"fcd_10k": fcd, "precision_10k": 0.5, "recall_10k": 0.25}
    metrics |= {"classes_10k": 10.0 - seed, **more}
    return {
        "seed": seed,
        "step": 1000 * seed,
        "seconds": 120.0,
        "milliseconds_per_step": 120.0 / seed,
        "sharpness": 0.8 + seed / 10,
        "alarms": alarms,
        "judge": "judge-1",
        "metrics": {n: {"mean": x, "real": 2 * x} for n, x in metrics.items()},
    }


def test_sharpness_by_hand():
    """Lengths of (0.3, 0.4) and of (0, -0.3) in one image; the other is flat."""
    sharpness = load("losses").sharpness
    image = np.array([[0.0, 0.3, 0.3], [0.4, 0.0, 0.9]], np.float32)
    images = np.stack([image, np.full_like(image, 0.7)])[..., None]
    assert sharpness(images[:1]) == pytest.approx((0.5 + 0.3) / 2)
    assert sharpness(images) == pytest.approx((0.5 + 0.3) / 4)


def test_blurring_costs_sharpness():
    sharpness = load("losses").sharpness
    images = np.zeros([1, 8, 8, 1], np.float32)
    images[:, 2:6, 2:6] = 1.0
    blurred = (images + np.roll(images, 1, 1) + np.roll(images, 1, 2)) / 3
    assert 0.0 < sharpness(blurred) < sharpness(images)


def test_one_size_of_superres_is_that_size():
    images, labels = (some[:4] for some in mnist5k())
    script = load("translations")
    found = script.examples_of(script.superres_by(4), images, labels)
    coarse = reduced(as_floats(images), 4).numpy() * 0.5 + 0.5
    np.testing.assert_allclose(found["sources"], coarse, atol=1e-6)


def test_the_table_of_losses():
    """Means and extremes over seeds; a metric that a recipe lacks is a dash."""
    losses = load("losses")
    record = {
        "wgan": [_measured(1, 3.0, []), _measured(2, 5.0, ["D has won"])],
        "acgan": [_measured(1, 4.0, None, digit_agreement_10k=0.75)],
    }
    heads, _, wgan, acgan, real = map(cells, losses.table(record).splitlines()[:5])
    assert len(heads) == len(wgan) == len(acgan) == len(real) == 10
    assert heads[5:] == ["digit agreement", "sharpness", "steps", "ms a step", "alarm"]
    assert wgan[:2] == ["`wgan`", "4.00 (3.00 – 5.00)"]
    assert wgan[2:4] == ["0.500", "0.250"]
    assert wgan[4:7] == ["8.5 (8 – 9)", "–", "0.95 (0.90 – 1.00)"]
    assert wgan[7:] == ["1,500 (1,000 – 2,000)", "90.0 (60.0 – 120.0)", "1 of 2"]
    assert acgan[:2] == ["`acgan`", "4.00"]
    assert acgan[5:] == ["0.750", "0.90", "1,000", "120.0", "–"]
    assert real[:5] == ["held-out real images", "8.00", "1.000", "0.500", "17.3"]
    assert real[5:] == ["1.500", "1.00", "", "", ""]
    assert "training seeds 1, 2, each" in losses.table(record)


def test_the_document_of_losses_is_that_of_the_record(tmp_path, monkeypatch):
    losses = load("losses")
    path = losses.FOLDER / "losses.json"
    text = losses.DOCUMENT.read_text()
    copy = tmp_path / "losses.md"
    copy.write_text(text)
    monkeypatch.setattr(losses, "DOCUMENT", copy)
    if path.is_file():
        losses.main(["--only_write"])
        assert copy.read_text() == text
    monkeypatch.setattr(losses, "FOLDER", tmp_path)
    with pytest.raises(UserError, match="nothing was measured yet"):
        losses.main(["--only_write"])
    (tmp_path / "losses.json").write_text("{")
    with pytest.raises(UserError, match=r"losses\.json: is damaged"):
        losses.main(["--only_write"])


def test_the_contrast_of_each_paired_recipe_can_be_trained():
    """Also of one that has no L1 itself."""
    script = load("translations")
    for recipe in script.PAIRED:
        path = find_recipe(recipe)
        flags = script.l1_alone(read_config(path))
        config = Config(**parse_config([f"--flagfile={path}", *flags]))
        assert config.adversarial_weight == 0.0
        assert config.l1_weight > 0.0


def test_the_document_of_translations_is_that_of_the_record(tmp_path, monkeypatch):
    script = load("translations")
    text = script.DOCUMENT.read_text()
    tables = dict(re.findall(BETWEEN, text, re.DOTALL))
    assert set(tables) == set(script.RECIPES)
    copy = tmp_path / "page.md"
    copy.write_text(
        re.sub(BETWEEN, r"<!-- \1: begin -->\n<!-- \1: end -->", text, flags=re.DOTALL)
    )
    monkeypatch.setattr(script, "DOCUMENT", copy)
    script.write(load("common").read_record(script.RECORD))
    assert copy.read_text() == text


def test_a_record_and_its_tables_are_written_each_time(tmp_path):
    path, seen = tmp_path / "record.json", []
    common = load("common")
    known = ("first", "second", "third")

    def write(record):
        seen.append((dict(record), path.is_file() and json.loads(path.read_text())))

    def each(names, only_write=False):
        wanted = common.each_seed(names, "2,3")
        more = (lambda before, found: (before or 0) + found,)
        measure = lambda name, seed: len(name) * seed  # noqa: E731
        common.measure_each(path, wanted, known, only_write, measure, write, *more)

    with pytest.raises(UserError, match="nothing was measured yet"):
        each(known, only_write=True)
    each(["third", "first"])
    one, both = {"third": 25}, {"first": 25, "third": 25}
    assert seen[1::2] == [(one, one), (both, both)]
    assert [*seen[-1][0]] == ["first", "third"]  # as they stand in tables
    each(known)
    after = {"first": 50, "second": 30, "third": 50}
    assert json.loads(path.read_text()) == after
    each(["first"], only_write=True)
    assert seen[-1] == (after, after)


def test_what_fails_does_not_keep_others_from_being_measured(tmp_path, capfd):
    common = load("common")
    path = tmp_path / "record.json"

    def measure(name, seed):
        if name == "first":
            common.run_command("train", ["--flagfile=dcgam"])
        if seed == 1:
            raise UserError("a file is missing")
        return {"seed": seed}

    wanted = common.each_seed(["first", "second"], "3,1,2")
    known = ("first", "second")
    more = (lambda record: None, common.with_run)
    with pytest.raises(RunStopped) as stop:
        common.measure_each(path, wanted, known, False, measure, *more)
    failed = ["first (seed 3)", "first (seed 1)", "first (seed 2)", "second (seed 1)"]
    assert str(stop.value).startswith(f"{', '.join(failed)}: failed")
    assert json.loads(path.read_text()) == {"second": [{"seed": 2}, {"seed": 3}]}
    said = capfd.readouterr().err
    assert said.count("did you mean 'dcgan'") == 3
    assert "error: a file is missing\n" in said


def test_tables_of_translations(tmp_path, monkeypatch):
    script = load("translations")
    rows = {"a way": {"psnr": 1.0, "spread": 2.0}, "targets": {"spread": 3.0}}
    ahead = {n: {"psnr": [1.0] * 10, "ssim": [0.5] * 10} for n in ("copied", "ours")}
    one = {"steps": 3000, "seed": 1, "rows": {"": rows}, "ahead": ahead}
    lines = script.paired_table(one).splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert cells(tables[0]) == ["", "PSNR", "spread"]
    assert cells(tables[3]) == ["targets", "–", "3.00"]
    assert cells(tables[4]) == ["PSNR of frame", *map(str, range(1, 11))]
    assert cells(tables[7]) == ["ours", *["1.00"] * 10]
    assert cells(tables[11]) == ["ours", *["0.500"] * 10]
    assert "3,000 steps of either training" in lines[-1]
    monkeypatch.setattr(script, "DOCUMENT", tmp_path / "page.md")
    script.DOCUMENT.write_text("<!-- frames: begin -->\n<!-- frames: end -->\n")
    script.write({"frames": one})
    page = script.DOCUMENT.read_text()
    assert "    tfgan-mnist train frames\n" in page
    assert "(../samples/frames/test.png)" in page
    assert "(../samples/frames/ahead.gif)" in page
    assert page.count("| targets |") == 1


def test_frames_are_predicted_one_from_another(tmp_path, monkeypatch):
    script = load("translations")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "SHOWN", 3)
    model = LoadedModel(untrained("frames", tmp_path))
    models = {"L1 alone": model, "adversarial": model}
    found = script.look_ahead(models, mnist5k()[0][::500])
    assert found["L1 alone"] == found["adversarial"]
    copied = found["the last frame"]
    assert len(copied["psnr"]) == len(copied["ssim"]) == 10
    assert copied["ssim"][0] == max(copied["ssim"])  # then the digits move away
    with Image.open(tmp_path / "samples/frames/ahead.gif") as animation:
        assert animation.n_frames == 13
        assert animation.size == (2 * (3 * 65 + 1), 2 * (3 * 65 + 1))


def test_frames_are_measured_beside_the_last_one(tmp_path, monkeypatch):
    """Two models, told digits of 64×64, and what is ahead; all into one table."""
    script = load("translations")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "SLOW", 20)
    path = untrained("frames", tmp_path).parent
    images, labels = (some[::50] for some in mnist5k())
    found = script.measure_paired("frames", path, path, images, labels)
    rows = found["rows"][""]
    assert [*rows] == ["the last frame", "L1 alone", "adversarial", "targets"]
    assert rows["L1 alone"] == rows["adversarial"]
    assert rows["the last frame"]["psnr"] > rows["adversarial"]["psnr"]
    assert (tmp_path / "samples/frames/test.png").is_file()
    table = script.paired_table(found)
    assert "| PSNR of frame | 1 |" in table
    assert "0 steps of either training, seed 1" in table


def test_runs_from_other_seeds_join_those_of_the_record():
    """Of which one may lack what is measured now."""
    script = load("translations")
    shared = {"count": 10, "digit_kept": 0.5}
    old = {"steps": 9, "translate": shared, "translate_back": shared}
    more = shared | {"thickness_of_targets": 2.5}
    new = {"steps": 9, "translate": more, "translate_back": more}
    record = script.with_seeds(None, {"runs": {"10": new}})
    record = script.with_seeds({"runs": record["runs"] | {"1": old}}, {"runs": {}})
    record = script.with_seeds(record, {"runs": {"2": new}})
    assert [*record["runs"]] == ["1", "2", "10"]
    rows = [cells(line) for line in script.unpaired_table(record).splitlines()[:8]]
    assert rows[0][-1] == "of the other kind"
    assert [row[-1] for row in rows[2:]] == ["–", "–", *["2.50"] * 4]
    assert script.with_seeds({"rows": {}}, {"rows": {"a": 1}}) == {"rows": {"a": 1}}


def test_several_outputs_for_one_image_are_compared(tmp_path, monkeypatch):
    script = load("translations")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "SLOW", 20)
    images, labels = (some[::25] for some in mnist5k())
    examples = script.examples_of(script.unseen_fonts, images, labels)
    models = {"adversarial": LoadedModel(untrained("fonts", tmp_path))}
    assert not set(script.UNSEEN) & set(FONTS)
    found = script.measure_several(models, examples)
    assert 0.0 < found["adversarial"] < found["targets"]
    picture = imageio.imread(tmp_path / "samples/fonts/several.png")
    assert picture.shape == (2 * (9 * 29 + 1), 2 * (10 * 29 + 1))
    near = script.near_and_varied(examples["samples"], examples)
    assert near == {"precision": 1.0, "recall": 1.0}


def test_the_mean_distance_is_of_pairs_in_a_group():
    groups = np.array([[[0.0, 0.0], [3.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]]])
    assert load("translations").mean_distance(groups) == pytest.approx(2.5)


@needs_mnist
def test_thickness_is_beside_that_of_the_other_kind(tmp_path, monkeypatch):
    script = load("translations")
    monkeypatch.setattr(script, "ROOT", tmp_path)
    kinds = script.kinds_of("thickness", str(PREPARED_MNIST))
    assert [len(images) for images, _ in kinds] == [5_000, 5_000]
    fewer = [(images[::50], labels[::50]) for images, labels in kinds]
    monkeypatch.setattr(script, "kinds_of", lambda *_: fewer)
    untrained("cyclegan_thickness", tmp_path)
    found = script.measure_unpaired("a", "thickness", tmp_path, "", seed=2)
    there, back = found["translate"], found["translate_back"]
    assert there["thickness_before"] < there["thickness_of_targets"]
    assert there["thickness_of_targets"] == back["thickness_before"]
    assert there["thickness_before"] == back["thickness_of_targets"]
    assert (there["count"], back["count"]) == (100, 100)
    lines = script.unpaired_table({"runs": {"2": found}}).splitlines()
    row = dict(zip(cells(lines[0]), cells(lines[2]), strict=True))
    assert row["way"] == "there"
    assert row["of the other kind"] == f"{there['thickness_of_targets']:.2f}"


def test_an_opinion_on_nothing_is_one_line():
    path = str(SCRIPTS / "other_judges.py")
    done = subprocess.run(
        [sys.executable, path, "nowhere"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "error: SAVED_MODEL=nowhere: there is no such folder\n"


def test_statistics_are_those_of_the_network_itself(monkeypatch):
    """The first layer's follow from its weights and the latents alone."""
    script = load("reestimate")
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
    path = str(SCRIPTS / "reestimate.py")
    done = subprocess.run(
        [sys.executable, path, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == f"error: RUN_DIR={tmp_path}: {words}\n"


def test_statistics_of_a_run(trained, tmp_path, monkeypatch):
    script = load("reestimate")
    monkeypatch.setattr(script, "BATCHES", 2)
    config = script.find_run(trained, "")
    with pytest.raises(UserError, match="has no checkpoint that can be read"):
        script.measure(tmp_path, config)
    row = cells(script.measure(trained, config))
    assert row[:3] == ["`dcgan_cpu`", "1", "12"]
    assert len(set(row[3:])) == 3  # each way another distance
    assert min(float(cell) for cell in row[3:]) > 10.0


def test_real_images_agree_with_captions_of_their_own():
    from tfgan_mnist.data.captions import FACETS, levels, measure
    from tfgan_mnist.data.grammar import WORDS
    from tfgan_mnist.data.grammar import split as words_of
    from tfgan_mnist.data.mnist import mnist5k

    script = load("captions")
    images, labels = (x[::10] for x in mnist5k())
    images = images / np.float32(255.0)
    asked = levels(measure(images), labels)
    said = np.ones(asked.shape, bool)
    real = script.compared(asked, said, images)
    assert [*real] == [*FACETS]
    for facet, found in real.items():
        assert found["captions"] == 500
        assert found["agreement"] >= (0.98 if facet == "digit" else 1.0)
        assert facet == "digit" or found["correlation"] > 0.7
    # Of another image a caption is no better than chance.
    other = script.compared(asked[::-1], said, images)
    assert all(abs(other[facet].get("correlation", 0.0)) < 0.35 for facet in FACETS)

    wanted = (asked[:, 0] == 7) & (asked[:, 1] == 2) & (asked[:, 2] == 2)
    assert wanted.any()
    found = script.combined("bold", "right", images[wanted])
    assert found["asked for"] == "a bold seven leaning right"
    assert found["all"] == found["seven"] > 0.9
    prompts = script.prompts_of("seven", "bold", "right")
    assert len(set(prompts)) > 10
    for prompt in prompts:
        assert set(words_of(prompt)) <= set(WORDS)
        assert {"seven", "7"} & set(words_of(prompt))

    record = {"samples": other, "real": real, "combinations": [found]}
    first, second = script.tables(record).values()
    assert "| thickness | 500 |" in first
    assert "| a bold seven leaning right |" in second


def test_width_counts_where_the_digit_is_said():
    script = load("captions")
    images, labels = (x[::500] for x in mnist5k())
    asked = np.stack([labels, *[np.arange(10) % 2] * 4], axis=1)
    said = np.ones([10, 5], bool)
    said[:4, 0] = False
    found = script.compared(asked, said, images / np.float32(255.0))
    counts = [one["captions"] for one in found.values()]
    assert dict(zip(found, counts, strict=True)) == {
        "digit": 6,
        "thickness": 10,
        "slant": 10,
        "width": 6,
        "height": 10,
    }


@pytest.mark.parametrize("script", ["captions", "truncation", "inversion"])
def test_what_is_no_model_is_said_without_tensorflow(script, tmp_path):
    flags = load(script).Flags
    with pytest.raises(UserError, match="--saved_model is missing"):
        flags(recipe="stylegan")
    with pytest.raises(UserError, match="--recipe is missing"):
        flags(saved_model=str(tmp_path))
    with pytest.raises(UserError, match=r"is no SavedModel \(no saved_model\.pb\)"):
        flags(saved_model=str(tmp_path), recipe="stylegan")


def test_a_model_s_inversion_and_paths(tmp_path, monkeypatch):
    script = load("inversion")
    path = untrained("stylegan", tmp_path)
    words = {"count": 10, "starts": 2, "steps": 2, "paths": 50, "separated": 200}
    flags = script.Flags(saved_model=str(path), recipe="stylegan", **words)
    monkeypatch.setattr(script, "AT_ONCE", 4)
    images, labels = (x[::100] for x in mnist5k())
    found = script.measure(LoadedModel(path), images, labels, flags)
    assert (found["count"], found["paths"]) == (10, 50)
    assert found["digit_read"] == 1.0
    assert 0.0 < found["error"] < 1.0
    assert 0.0 <= found["digit_kept"] <= 1.0
    lengths = found["path_length"]
    assert lengths["latents"] > 0.0
    assert lengths["styles"] > 0.0
    assert found["separability"].keys() == {"latents", "styles"}
    assert min(found["separability"].values()) >= 1.0
    row = cells(script.table({"stylegan": found}).splitlines()[2])
    assert row[:3] == ["`stylegan`", "0", "10"]
    assert row[5] == "100.0%"
    assert len(row) == 10


def test_separability_of_two_digits():
    """1 where a line parts them; where it cannot, exp(2 ln 2) for two equal halves."""
    script = load("inversion")
    points = np.random.default_rng(1).normal(size=[4_000, 3])
    apart = np.eye(2)[(points[:, 0] > 0).astype(int)]
    assert script.separability(points, apart) == pytest.approx(1.0, abs=0.1)
    by_chance = np.eye(2)[np.random.default_rng(2).integers(2, size=4_000)]
    assert script.separability(points, by_chance) == pytest.approx(4.0, rel=0.02)
    what, side = np.array([[True, True, False, False], [True, False, False, False]])
    # Of the one on its side all, of the three others a third.
    third = -(np.log(1 / 3) / 3 + 2 * np.log(2 / 3) / 3)
    assert script.conditional_entropy(what, side) == pytest.approx(0.75 * third)


def test_path_lengths_of_a_conditional_model_are_those_of_its_report(conditional):
    """By as many steps they are the same measurement from other latents."""
    script = load("inversion")
    lengths = script.path_lengths(LoadedModel(conditional), 200)
    assert [*lengths] == ["latents"]
    assert lengths["latents"] > 0.0


def test_a_digit_is_left_out_of_training_and_told_from_the_others(tmp_path, trained):
    script = load("anomalies")
    images, labels = mnist5k()
    script.write_others(3, tmp_path / "deep" / "others.npz", images, labels)
    with np.load(tmp_path / "deep" / "others.npz") as file:
        np.testing.assert_array_equal(file["images"], images[labels != 3])
    rows = script.chosen(3, labels, 20)
    assert np.bincount(labels[rows]).tolist() == [2, 2, 2, 20, 2, 2, 2, 2, 2, 2]
    flags = script.Flags(count=18, starts=1, adam_steps=1)
    # All else is grey, as what a generator of few steps draws.
    shown = np.where((labels == 3)[:, None, None, None], images, np.uint8(120))
    found = script.measure(3, trained / "saved_model", shown, labels, flags)
    assert (found["count"], found["others"], found["step"]) == (18, 18, 12)
    assert found["error"] > found["error_of_others"]
    assert 0.5 < found["auroc"] <= 1.0
    record = {"3": found, "5": {**found, "auroc": 0.5}}
    rows = [cells(line) for line in script.table(record).splitlines()]
    assert rows[2][:3] == ["3", "12", "18"]
    assert rows[4] == ["mean", *[""] * 5, f"{(found['auroc'] + 0.5) / 2:.3f}"]


def test_the_table_of_the_ablation(tmp_path, monkeypatch):
    script = load("ablation")
    more = {"digit_agreement_10k": 0.75}
    record = {
        "biggan": [_measured(1, 3.0, None, **more), _measured(2, 5.0, None, **more)],
        "without attention": [_measured(1, 4.0, None, **more)],
    }
    monkeypatch.setattr(script, "ROOT", tmp_path)
    page = tmp_path / "docs" / "variants.md"
    page.parent.mkdir()
    page.write_text("<!-- ablation: begin -->\n<!-- ablation: end -->\n")
    script.write(record)
    _, heads, _, first, second, _ = page.read_text().splitlines()
    assert cells(heads)[:5] == ["variant", "seeds", "steps", "FCD", "precision"]
    assert cells(first)[:3] == ["biggan", "2", "1,500 (1,000 – 2,000)"]
    assert cells(first)[3] == "4.00 (3.00 – 5.00)"
    assert cells(second)[:4] == ["without attention", "1", "1,000", "4.00"]


def test_every_variant_of_the_ablation_can_be_trained():
    for flags, steps in load("ablation").VARIANTS.values():
        words = ["--flagfile=biggan.flags", *flags, f"--steps={steps}"]
        build_gan(dataclasses.replace(Config(**parse_config(words)), base_channels=4))


def test_steps_of_a_script_stand_in_place_of_a_recipe_s_schedule():
    """Also where the recipe has a limit of seconds."""
    schedule = load("common").TrainFlags(steps=20).schedule
    for recipe in ("dcgan_fast", "frames", "cyclegan_uci"):
        config = Config(**parse_config([f"--flagfile={recipe}", *schedule]))
        assert (config.steps, config.max_seconds, config.epochs) == (20, 0.0, 0.0)
    assert load("common").TrainFlags().schedule == []


def test_later_recipes_are_checked_before_the_first_is_trained(tmp_path):
    """Of the second one a run is there that was measured at other steps."""
    run_dir = tmp_path / "runs" / "seeds" / "cdcgan_fast-1"
    run_dir.mkdir(parents=True)
    (run_dir / "config.flags").write_text(find_recipe("cdcgan_fast").read_text())
    words = ["dcgan_fast", "cdcgan_fast", "--count=1", "--evaluate_every=7"]
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "seeds.py"), *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "runs/seeds/cdcgan_fast-1 has --evaluate_every=1200" in done.stderr
    assert [path.name for path in run_dir.parent.iterdir()] == ["cdcgan_fast-1"]


def test_the_model_of_many_workers_by_hand():
    """0.02 s fixed and 0.8 ms a row; 10 MB and 0.1 ms a round of three updates."""
    script = load("efficiency")
    seconds = {"one_thread": [0.1], "half_batch": [0.06], "two_workers": [0.08]}
    found = {"batch": 100, "gradients": 10_000_000, "updates": 3, "seconds": seconds}
    light = {**found, "gradients": 0, "seconds": {**seconds, "two_workers": [0.07]}}
    byte = script.seconds_a_byte({"found": found, "light": light})
    assert byte == pytest.approx(1e-9)

    one = script.modelled(found, 1, 1, grow=False)
    assert one == pytest.approx(100 / 0.1)
    two = script.modelled(found, 2, 1, grow=False)
    assert two == pytest.approx(100 / (0.06 + 0.08 + 6 * 0.0001))
    ten = script.modelled(found, 10, 100, grow=True)
    assert ten == pytest.approx(1000 / (0.1 + 1.8 * 0.0008 + 54 * 0.0001))
    assert script.best(found, 1, grow=False) == (1, 1.0)
    assert script.best(light, 1, grow=False)[0] > 2


def test_a_worker_s_turn_counts_the_gradients_of_a_step():
    path = str(SCRIPTS / "efficiency.py")
    done = subprocess.run(
        [sys.executable, path, "dcgan_fast", "--turn=1", "--share=0.5"],
        capture_output=True,
    )
    found = json.loads(done.stdout)
    config = read_config(find_recipe("dcgan_fast"))
    networks = build_gan(config).networks.values()
    weights = sum(w.numpy().size for n in networks for w in n.trainable_variables)
    assert config.generator_updates == config.discriminator_updates == 1
    assert found["gradients"] == 4 * weights
    assert found["batch"] == config.batch_size / 2
    assert found["seconds"] > 0


def test_a_turn_on_larger_images():
    path = str(SCRIPTS / "sizes.py")
    words = [sys.executable, path, "stylegan", "--turn=32"]
    found = json.loads(subprocess.run(words, capture_output=True).stdout)
    networks = build_gan(
        dataclasses.replace(
            read_config(find_recipe("stylegan")),
            dataset="cifar10",
            image_size=32,
            channels=3,
        )
    ).networks.values()
    weights = sum(w.numpy().size for n in networks for w in n.trainable_variables)
    assert found["weights"] == weights
    assert 0 < found["seconds"] < 60
    assert 0.1 < found["memory"] < 20


def test_the_demo_refuses_what_it_does_not_know():
    done = subprocess.run(
        ["bash", ROOT / "scripts" / "demo.sh", "--seconds=3"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: --seconds=3: demo.sh takes no arguments")
    assert done.stdout == ""


def test_the_setup_refuses_an_extra_that_there_is_not():
    """pip would warn, and install without it."""
    done = subprocess.run(
        ["bash", ROOT / "scripts" / "setup.sh", "test,benchmrk"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "error: benchmrk: no extra of setup.cfg; there are: gpu, ray"
    )
    assert done.stdout == ""
