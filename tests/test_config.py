import dataclasses

import pytest

from tfgan_mnist import config
from tfgan_mnist.config import Config, parse_flags
from tfgan_mnist.system.errors import UserError


def parse(*argv: str) -> Config:
    return Config(**parse_flags(argv, Config))


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
        original = parse(f"--flagfile={recipe}", "--seed=9", "--noshare_latents")
        (tmp_path / "again.flags").write_text(original.to_flags())
        assert config.read_config(tmp_path / "again.flags") == original


def test_overwrite_is_not_repeated_by_reading_a_record():
    assert "overwrite" not in parse("--flagfile=dcgan", "--overwrite").to_flags()


@pytest.mark.parametrize("recipe", sorted(config.recipes()))
def test_recipes_are_complete_and_headed(recipe):
    path = config.recipes()[recipe]
    given = {
        line.removeprefix("--").partition("=")[0]
        for line in path.read_text().splitlines()
        if line.startswith("--")
    }
    optional = {"resume", "overwrite", "data_dir"}
    assert {field.name for field in dataclasses.fields(Config)} - optional <= given
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
        (["--clusters=5"], "two normal latents choose one"),
        ([*NORMAL, "--latent_dim=1", "--clusters=5"], "a --latent_dim of at least 2"),
        (
            [*NORMAL, "--clusters=501", "--dataset=mnist5k"],
            "--clusters=501: too many for the 5000 images",
        ),
        (
            [*NORMAL, "--networks=cdcgan", "--clusters=51", "--dataset=mnist5k"],
            "they are learned from; at most 50, of ten images each",
        ),
        (
            ["--flagfile=stacked", *NORMAL, "--clusters=5"],
            "--clusters=5: of single grey images, which stacked does not make",
        ),
        (["--mismatched_weight=1"], "D is told nothing that could be wrong"),
        ([*NORMAL, "--mismatched_weight=1", "--clusters=1"], "D is told nothing"),
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


def test_whole_numbers_do_for_numbers():
    assert repr(Config(max_seconds=60).max_seconds) == "60.0"


def test_help_shows_every_flag_under_a_heading():
    text = config.grouped_help(Config)
    for field in dataclasses.fields(Config):
        assert field.name in text
        assert f"{config.flag_of(field).group}:" in text
    assert all(len(line) <= 88 for line in text.splitlines())
