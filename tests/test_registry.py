"""Names of the flags, and what they stand for."""

import dataclasses

import pytest

from tfgan_mnist.config import Config
from tfgan_mnist.evaluation.protocols import Protocol, protocol_of
from tfgan_mnist.gans import losses
from tfgan_mnist.gans.gan import GAN
from tfgan_mnist.registry import (
    ADVERSARIAL,
    DATASETS,
    GAMES,
    IMAGE_SIZES,
    LOSSES,
    NETWORKS,
    find,
)
from tfgan_mnist.serving.saved_model import CONTROLS


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_of_the_flags_can_be_built(name):
    """Also that they play a game on data that there is."""
    networks = NETWORKS[name]
    assert callable(find(networks.make))
    assert networks.game in GAMES
    assert networks.makes in {data.makes for data in DATASETS.values()}


FOLLOWING = [
    name
    for name, networks in NETWORKS.items()
    if networks.any_shape and not GAMES[networks.game].translates
]


@pytest.mark.parametrize("name", FOLLOWING)
def test_networks_of_any_shape_make_and_judge_every_shape(name):
    """Sizes of the flags in colour; what a grey 28×28 has is pinned elsewhere."""
    labels = [3] if GAMES[NETWORKS[name].game].labelled else []
    make = find(NETWORKS[name].make)
    for size in IMAGE_SIZES:
        networks = make(5, 4, 1, *labels, image_size=size, channels=3)
        shapes = {tuple(t.shape[1:]) for n in networks for t in (*n.inputs, *n.outputs)}
        assert {shape for shape in shapes if len(shape) == 3} == {(size, size, 3)}


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_of_the_flags_can_be_made_and_measured(name):
    assert callable(find(DATASETS[name].make))
    assert isinstance(protocol_of(name), Protocol)
    assert (protocol_of(name).picture is not None) == DATASETS[name].is_toy


@pytest.mark.parametrize("name", GAMES)
def test_every_game_is_a_gan_whose_options_are_flags(name):
    game = find(GAMES[name].make)
    assert issubclass(game, GAN)
    options = {field.name for field in dataclasses.fields(game.Options)}
    assert options <= {field.name for field in dataclasses.fields(Config)}
    one_side = find(GAMES[name].make).__name__ == "VariationalAutoencoder"
    assert (name in ADVERSARIAL) == (not one_side)
    controls = tuple(getattr(game, "controls", ()))
    assert controls == GAMES[name].controls
    assert set(controls) <= set(CONTROLS)


def test_every_loss_is_one_of_the_flags_and_the_other_way_round():
    made = [name for name, x in vars(losses).items() if isinstance(x, losses.Loss)]
    assert made == list(LOSSES)
    assert all(find(LOSSES[name]) is vars(losses)[name] for name in made)
