import dataclasses

import numpy as np
import pytest

from tfgan_mnist import config
from tfgan_mnist.config import Config, parse_config
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import flag_of, grouped_help


def parse(*argv: str) -> Config:
    return Config(**parse_config(argv))


def test_recipe_is_found_by_bare_name_with_or_without_its_ending():
    assert parse("--flagfile=dcgan.flags") == parse("--flagfile", "dcgan")
    assert parse("--flagfile=dcgan").recipe == "dcgan"


def test_a_file_here_comes_before_a_packaged_recipe(tmp_path, monkeypatch):
    (tmp_path / "dcgan.flags").write_text("--recipe=mine\n--steps=3\n")
    monkeypatch.chdir(tmp_path)
    assert parse("--flagfile=dcgan.flags").recipe == "mine"


def test_later_flags_win():
    assert parse("--flagfile=dcgan", "--steps=5", "--steps=7").steps == 7


def test_config_flags_give_the_same_config_again(tmp_path):
    for recipe in config.recipes():
        original = parse(f"--flagfile={recipe}", "--seed=9", "--noresume")
        (tmp_path / "again.flags").write_text(original.to_flags())
        assert config.read_config(tmp_path / "again.flags") == original


def test_overwrite_is_not_repeated_by_reading_a_record():
    assert "overwrite" not in parse("--flagfile=dcgan", "--overwrite").to_flags()


@pytest.mark.parametrize("recipe", sorted(config.recipes()))
def test_recipes_are_headed_and_carry_their_name(recipe):
    """That they hold no default, and what they resolve to, is in test_resolved.py."""
    path = config.recipes()[recipe]
    assert parse(f"--flagfile={recipe}").recipe == recipe
    assert parse(f"--flagfile={recipe}").run_dir == f"runs/{recipe}"
    header = config.recipe_header(path)
    assert header[0]
    assert any(f"--flagfile={recipe}.flags" in line for line in header)


def test_the_run_ends_at_its_first_limit():
    both = parse("--flagfile=dcgan", "--steps=1000", "--epochs=1")
    assert both.last_step == 600
    assert parse("--flagfile=dcgan", "--steps=500", "--epochs=1").last_step == 500
    uneven = parse("--flagfile=dcgan", "--steps=0", "--epochs=1", "--batch_size=128")
    assert uneven.last_step == 469  # 60,000 / 128 = 468.75: every image once
    only_clock = parse("--flagfile=dcgan", "--steps=0", "--max_seconds=5")
    assert only_clock.last_step is None


def test_differences_name_only_what_makes_another_run():
    this = parse("--flagfile=dcgan")
    other = parse(
        "--flagfile=dcgan", "--steps=9", "--run_dir=x", "--keep_checkpoints=1"
    )
    assert this.differences(other) == []
    other = parse("--flagfile=dcgan", "--seed=4", "--beta_1=0.9")
    assert this.differences(other) == [
        "--beta_1=0.5 (there: 0.9)",
        "--seed=1 (there: 4)",
    ]


NORMAL = ["--latent_distribution=normal"]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--workers=-1"], "--workers=-1: must be at least 0"),
        (["--workers=2", "--distribute=mirrored"], "leave --distribute=mirrored out"),
        (["--workers=3"], "--batch_size=100: the 3 workers of --workers=3"),
        (["--workers=101"], "give a multiple of 101"),
        (["--address=here:6379"], "--address=here:6379: is for workers"),
        (["--batch_size=0"], "--batch_size=0: must be at least 1"),
        (["--beta_1=1"], "--beta_1=1.0: must be below 1.0"),
        (["--generator_learning_rate=-1"], "must be above 0.0"),
        (["--beta_2=nan"], "must be a finite number"),
        (["--base_channels=5000"], "must be at most 1024"),
        (["--steps=many"], "--steps=many: must be a whole number"),
        (["--beta_1=much"], "--beta_1=much: must be a number"),
        (["--resume=perhaps"], "--resume=perhaps: must be true or false"),
        (["--networks=dcgam"], "there is no such value; did you mean 'dcgan'"),
        (["--loss=relative"], "no such value; did you mean 'relativistic'"),
        (["--dataset=mnist6k"], "did you mean 'mnist5k'"),
        (["--lerning_rate=1"], "unknown command line flag 'lerning_rate'"),
        (["stray"], "'stray': belongs to no flag"),
        (["--dataset=mnist5k", "--batch_size=5001"], "mnist5k has 5000 images"),
        (["--steps=0"], "--steps, --epochs and --max_seconds are all 0"),
        (["--run_dir="], "--run_dir is empty"),
        (["--flagfile=dcgab"], "did you mean 'dcgan'"),
        (["--clusters=5"], "normal latents choose one"),
        (["--cluster_softness=0"], "--cluster_softness=0.0: must be above 0.0"),
        (
            ["--flagfile=stacked", *NORMAL, "--clusters=5", "--latent_dim=2"],
            "--clusters=5: each of the 3 images of a stack needs a latent that "
            "chooses its cluster; give --latent_dim=3 or more",
        ),
        (["--mismatched_weight=1"], "D is told nothing that could be wrong"),
        (["--shared_draws=some"], "--shared_draws=some: there is no such value"),
        (
            ["--kl_weight=2"],
            "--kl_weight=2.0: --networks=dcgan plays the game uncondit",
        ),
        (["--simultaneous"], "give --discriminator_updates=1 --generator_updates=1"),
        (["--decay_steps=9"], "--decay_steps=9: give both or neither"),
        (["--generator_optimizer=adm"], "did you mean 'adam'"),
        (["--epsilon=0"], "--epsilon=0.0: must be above 0.0"),
        ([*NORMAL, "--mismatched_weight=1", "--clusters=1"], "D is told nothing"),
        (
            [
                *("--networks=points", "--dataset=ring", *NORMAL),
                *("--clusters=4", "--mismatched_weight=1"),
            ],
            "--clusters=4: clusters are of images, and --dataset=ring has none",
        ),
        (["--networks=stackgan_1", "--flip"], "captions would say the wrong side"),
        (
            ["--networks=stackgan_1", "--dataset=fashion_mnist"],
            "needs captions of digits, and --dataset=fashion_mnist has none",
        ),
        (
            ["--networks=stackgan_2"],
            "--init_from is missing: --networks=stackgan_2 go on from a run of "
            "--networks=stackgan_1; give its folder",
        ),
    ],
)
def test_bad_values_get_one_line(argv, message):
    with pytest.raises(UserError) as error:
        parse("--flagfile=dcgan", *argv)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_mistake_in_a_flagfile_names_the_file(tmp_path):
    path = tmp_path / "mine.flags"
    path.write_text("--steps=3\n--lerning_rate=1\n")
    message = "unknown command line flag 'lerning_rate'"
    with pytest.raises(UserError) as error:
        parse(f"--flagfile={path}")
    assert str(error.value).startswith(f"--flagfile={path}: {message}")
    with pytest.raises(UserError) as error:
        parse("--flagfile=dcgan", "--lerning_rate=1")
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("steps", "5", "--steps='5': must be a whole number"),
        ("steps", 1e4, "--steps=10000.0: must be a whole number"),
        ("max_seconds", None, "--max_seconds=None: must be a number"),
        ("resume", 1, "--resume=1: must be true or false"),
        ("run_dir", 3, "--run_dir=3: must be a text"),
    ],
)
def test_types_are_checked_for_callers_from_python(name, value, wanted):
    with pytest.raises(UserError) as error:
        Config(**{"steps": 1, name: value})
    assert str(error.value) == wanted


def test_a_record_from_when_there_was_one_way_to_compile_can_be_read(tmp_path):
    record = parse("--flagfile=dcgan").to_flags()
    for before, now in (("true", "step"), ("false", "off")):
        old = record.replace("--jit_compile=off", f"--jit_compile={before}")
        (tmp_path / "config.flags").write_text(old)
        assert config.read_config(tmp_path / "config.flags").jit_compile == now
    assert Config(steps=1, jit_compile=True).jit_compile == "step"


def test_a_record_from_when_there_was_one_kind_of_half_precision_can_be_read(tmp_path):
    record = parse("--flagfile=dcgan").to_flags()
    for before, now in (("true", "bfloat16"), ("false", "off")):
        old = record.replace("--mixed_precision=off", f"--mixed_precision={before}")
        (tmp_path / "config.flags").write_text(old)
        assert config.read_config(tmp_path / "config.flags").mixed_precision == now
    assert Config(steps=1, mixed_precision=True).mixed_precision == "bfloat16"
    with pytest.raises(UserError, match="--mixed_precision=float8: "):
        parse("--flagfile=dcgan", "--mixed_precision=float8")
    for words in ("--workers=2", "--distribute=mirrored"):
        with pytest.raises(UserError, match="float16: works in one process only"):
            parse("--flagfile=dcgan", "--mixed_precision=float16", words)


def test_help_shows_every_flag_under_a_heading():
    text = grouped_help(Config)
    for field in dataclasses.fields(Config):
        assert field.name in text
        assert f"{flag_of(field).group}:" in text
    assert all(len(line) <= 88 for line in text.splitlines())


@pytest.mark.parametrize(
    ("argv", "shared"),
    [
        (["--share_latents=true"], "all"),
        (["--share_latents=false"], "batch"),
        (["--share_latents=true", "--shared_draws=none"], "none"),
        ([], "none"),
    ],
)
def test_a_flag_of_an_earlier_version_is_read_unless_today_s_is_given(argv, shared):
    assert parse("--steps=1", *argv).shared_draws == shared


def test_networks_of_an_earlier_name_are_today_s():
    argv = ["--dataset=ring", "--steps=1"]
    old, new = (parse(*argv, f"--networks={name}") for name in ("pacgan", "maxout"))
    assert old == new
    assert "--networks=maxout\n" in old.to_flags()


@pytest.mark.parametrize(
    ("flags", "shape"),
    [
        ({}, (28, 1)),
        ({"image_size": 64, "channels": 3}, (64, 3)),
        ({"networks": "dcgan32", "generator_updates": 1}, (32, 1)),
        ({"networks": "stacked", "dataset": "stacked"}, (28, 3)),
    ],
)
def test_the_shape_of_what_is_trained_on(flags, shape):
    assert Config(steps=1, **flags).image_shape == shape


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"image_size": 30}, "--image_size=30: must be one of"),
        ({"image_size": 32, "networks": "mlp"}, "--networks=mlp makes 28"),
        ({"channels": 3, "networks": "mlp"}, "of any shape are dcgan"),
        ({"channels": 3, "networks": "maxout", "dataset": "ring"}, "no images"),
    ],
)
def test_a_shape_that_cannot_be_had_is_refused(flags, words):
    with pytest.raises(UserError, match=words):
        Config(steps=1, **flags)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"task": "colour"}, "--task=colour: is made from grey images; give --chan"),
        ({"task": "fonts"}, "--task=fonts: is made from grey images"),
        ({"task": "frames"}, "--task=frames: is made from grey images"),
        ({"networks": "cyclegan", "task": "uci"}, "--task=uci: is made from grey"),
        ({"task": "colour", "channels": 1, "dataset": "12.npz"}, "12.npz has 12$"),
        ({"task": "fonts", "channels": 1, "dataset": "12.npz"}, "at most ten classes"),
        ({"task": "superres", "judge": "mnist"}, "--judge=mnist: a --task has metrics"),
    ],
)
def test_a_task_is_checked_against_its_data(flags, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    colours = np.zeros([120, 28, 28, 3], np.uint8)
    np.savez("colour.npz", images=colours, labels=np.arange(120) % 10)
    np.savez("12.npz", images=colours, labels=np.arange(120) % 12)
    given = {"networks": "pix2pix", "dataset": "colour.npz", "batch_size": 8}
    given |= {"steps": 1, "evaluate_every": 1, **flags}
    with pytest.raises(UserError, match=words):
        Config(**given)
    Config(**given | {"task": "", "networks": "dcgan", "channels": 3})
    if flags["task"] != "superres" and given["dataset"] != "12.npz":
        Config(**given | {"channels": 1})  # what the message asks for


def test_a_fingerprint_tells_configurations_apart_and_not_folders():
    one = config.read_config(config.find_recipe("dcgan_cpu"))
    elsewhere = dataclasses.replace(one, run_dir="there", data_dir="data")
    assert one.fingerprint == elsewhere.fingerprint
    assert one.fingerprint != dataclasses.replace(one, seed=2).fingerprint
