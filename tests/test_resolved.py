"""All flags of each recipe, its own and the defaults, are those recorded."""

from pathlib import Path

import pytest

from tfgan_mnist.config import read_config, recipes

RESOLVED = Path(__file__).parent / "resolved"


@pytest.mark.parametrize("recipe", sorted(recipes()))
def test_a_recipe_resolves_to_what_is_recorded(recipe):
    """A new flag, or a new default, is a change to every line here: look at each."""
    found = read_config(recipes()[recipe]).to_flags()
    assert found == (RESOLVED / f"{recipe}.flags").read_text()


@pytest.mark.parametrize("recipe", sorted(recipes()))
def test_a_recipe_repeats_no_default(recipe):
    path = recipes()[recipe]
    lines = [line for line in path.read_text().splitlines() if line.startswith("--")]
    resolved = (RESOLVED / f"{recipe}.flags").read_text()
    kept = ("--recipe=", "--networks=", "--run_dir=")
    for line in lines:
        assert f"{line}\n" in resolved
        if line.startswith(kept):
            continue
        path_without = [other for other in lines if other != line]
        assert _resolved(path_without) != resolved, f"{line} is the default"


def _resolved(lines: list[str]) -> str:
    from tfgan_mnist.config import Config, parse_config
    from tfgan_mnist.system.errors import UserError

    try:
        return Config(**parse_config(lines)).to_flags()
    except UserError:  # without the line there is no such run
        return ""


def test_every_recorded_recipe_is_there():
    assert {path.stem for path in RESOLVED.iterdir()} == set(recipes())


def test_records_of_earlier_versions_are_read(tmp_path):
    """As config.flags of the first version was written: every flag, some since gone."""
    path = tmp_path / "config.flags"
    path.write_text(
        "--recipe=ring\n--dataset=ring\n--networks=pacgan\n--base_channels=400\n"
        "--latent_dim=2\n--latent_distribution=normal\n--steps=10\n"
        "--share_latents=true\n--generator_updates=1\n--jit_compile=true\n"
    )
    config = read_config(path)
    assert config.networks == "maxout"
    assert config.shared_draws == "all"
    assert config.jit_compile == "step"
    path.write_text(path.read_text().replace("=true\n--gen", "=false\n--gen"))
    assert read_config(path).shared_draws == "batch"


@pytest.mark.parametrize("flag", ["--share_latents", "--noshare_latents"])
def test_a_renamed_flag_is_read_in_every_spelling(flag):
    from tfgan_mnist.config import parse_config

    shared = "batch" if flag.startswith("--no") else "all"
    assert parse_config([flag, "--steps=3"])["shared_draws"] == shared
    both = parse_config([flag, "--shared_draws=none"])
    assert both["shared_draws"] == "none"
