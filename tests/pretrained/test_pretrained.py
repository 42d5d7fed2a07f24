"""The models in the package: found by name, drawn from, a start for training."""

import numpy as np
import pytest
from conftest import tiny_config

from tfgan_mnist import pretrained
from tfgan_mnist.build import build_training
from tfgan_mnist.config import Config, find_recipe, read_config
from tfgan_mnist.evaluation.protocols import protocol_of
from tfgan_mnist.model import ModelFlags
from tfgan_mnist.serving.reader import row_seeds
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.training.transfer import Start

MODELS = ("cdcgan_fast", "dcgan_fast")


def test_there_are_those_that_the_page_promises():
    assert pretrained.names() == list(MODELS)
    sizes = [pretrained.find(name).stat().st_size / 1e6 for name in MODELS]
    assert sum(sizes) < 7
    with pytest.raises(UserError, match="--pretrained=dcgan_fats: there is no"):
        pretrained.find("dcgan_fats")


@pytest.mark.parametrize("name", MODELS)
def test_a_model_makes_digits(name):
    """By the judge far nearer to the data than noise, each of the class asked for."""
    flags = ModelFlags(pretrained=name)
    dataset, classes = flags.imitates()
    assert (dataset, classes) == ("mnist", 10 if name == "cdcgan_fast" else 0)
    model = flags.load()
    assert model.metadata["recipe"] == name
    assert model.metadata["step"] > 500
    protocol = protocol_of("mnist")
    labels = np.arange(1000) % 10 if classes else None
    features = protocol.features(model.sample(row_seeds(1, 1000), labels=labels))
    metrics = protocol.metrics(features, labels)
    assert metrics["precision_1k"] > 0.7
    assert metrics["classes_1k"] == 10
    if classes:
        assert metrics["digit_agreement_1k"] > 0.9


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_of_its_recipe_as_it_is_today(name):
    """Else the recipe was changed since, and the script has to run again."""
    flags = pretrained.read_metadata(pretrained.find(name))["flags"]
    made, today = Config(**flags), read_config(find_recipe(name))
    assert not made.differences(today)


def test_a_start_from_a_model_takes_all_of_it():
    config = read_config(find_recipe("dcgan_fast"))
    whole = {"clusters": config.clusters, "base_channels": config.base_channels}
    training = build_training(tiny_config("dcgan_fast", batch_size=8, **whole))
    start = Start("dcgan_fast", training.variables)
    wanted = [name for name in training.variables if "_optimizer/" not in name]
    assert f"took {len(wanted)} of {len(wanted)}" in start.sentence
    start.assign(training.variables)
    weights = pretrained.read_weights(pretrained.find("dcgan_fast"))
    for name in ("generator/00_kernel", "discriminator/00_kernel"):
        np.testing.assert_array_equal(training.variables[name].numpy(), weights[name])


def test_a_folder_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert pretrained.is_named("dcgan_fast")
    (tmp_path / "dcgan_fast").mkdir()
    assert not pretrained.is_named("dcgan_fast")
    assert not pretrained.is_named("another")
