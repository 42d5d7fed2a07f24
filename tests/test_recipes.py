"""Every recipe, narrowed: built, stepped, saved, loaded and sampled."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from conftest import eager_step, tiny_config, write_model

from tfgan_mnist.build import (
    build_evaluation,
    build_picture,
    build_training,
    named_weights,
)
from tfgan_mnist.config import recipes
from tfgan_mnist.runner import exporter
from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.serving.saved_model import CONTROLS
from tfgan_mnist.serving.warmup import write_warmup
from tfgan_mnist.system.errors import NotFiniteError

NOT_OF_THE_GRAPH = ("recipe", "dataset", "task", "run_dir")
NOT_OF_THE_GRAPH += ("steps", "epochs", "max_seconds")


def first_alike() -> dict[str, str]:
    """Of each recipe the first whose graph is like its own, which may be itself.

    Their flags say the same words, turn the same things on, and update as often; other
    numbers change no graph. What a data set or a task makes a batch of is traced for
    each.
    """
    first: dict[tuple, str] = {}
    found = {}
    for recipe in sorted(recipes()):
        flags = dataclasses.asdict(tiny_config(recipe))
        for name in NOT_OF_THE_GRAPH:
            del flags[name]
        for name, value in flags.items():
            if not isinstance(value, str) and not name.endswith("_updates"):
                flags[name] = bool(value)
        kind = tuple(flags.values())
        found[recipe] = first.setdefault(kind, recipe)
    return found


FIRST_ALIKE = first_alike()


@pytest.mark.parametrize("recipe", sorted(recipes()))
def test_recipe(recipe, tmp_path):
    config = tiny_config(recipe)
    training = build_training(config)
    before = {name: v.numpy() for name, v in training.variables.items()}
    if FIRST_ALIKE[recipe] == recipe:
        losses = training.step(tf.constant(0), tf.constant(2)).numpy()
    else:  # its own part of the graph, and the steps without one
        assert tf.function(training.step.batches)(tf.constant(0))
        losses = np.stack([eager_step(training, step) for step in (0, 1)])
    assert losses.shape == (2, len(training.step.names))
    assert np.isfinite(losses).all()
    changed = {
        name.split("/")[0]
        for name, v in training.variables.items()
        if not np.array_equal(before[name], v.numpy())
    }
    gan = training.gan
    trained = {name for side in gan.sides for name in side.networks}
    frozen = {"generator"} if recipe == "stackgan_2" else set()
    assert trained | frozen == set(gan.networks)
    assert len({side.symbol for side in gan.sides}) == len(gan.sides)
    assert not {name.split("/")[0] for name in gan.state} & set(gan.networks)
    for signature in gan.signatures().values():
        assert all(spec.shape[0] is None for spec in signature.inputs.values())
    optimizers = {f"{side.name}_optimizer" for side in gan.sides}
    made = [name for side in gan.sides if side.generates for name in side.networks]
    averages = {f"{name}_average" for name in made if config.ema_decay}
    # What clusters keep stays as it was found.
    state = {n.split("/")[0] for n in gan.state if not n.startswith("clusters/")}
    assert changed == trained | optimizers | averages | state

    pixels = build_picture(config, training)(2)
    assert pixels.dtype == np.uint8
    assert pixels.std() > 0
    if config.evaluate_every:
        metrics = build_evaluation(config, training)()
        assert metrics
        assert all(np.isfinite(value) for value in metrics.values())

    metadata = {"recipe": recipe, "dataset": config.dataset, "classes": config.classes}
    write_model(gan, tmp_path / "model", metadata)
    model = LoadedModel(tmp_path / "model")
    write_warmup(tmp_path / "model", model.signatures, recipe)
    assert (tmp_path / "model/assets.extra/tf_serving_warmup_requests").is_file()
    if config.task:
        inputs = gan.inputs(3, tf.constant([1, 2]), training.held_out)
        sources = training.held_out["sources"][:3] * 0.5 + 0.5
        images = model.translate(sources, row_seeds(1, 3))
        assert images.shape == (3, *gan.sample_shape)
        assert np.isfinite(images).all()
        return
    labels = np.array([3, 1, 4], np.int32) if config.classes else None
    samples = model.sample(row_seeds(1, 3), labels=labels)
    assert samples.shape == (3, *gan.sample_shape)
    assert np.isfinite(samples).all()
    controls = {name: tf.fill([3], CONTROLS[name]) for name in gan.controls}
    seeds = tf.constant(row_seeds(1, 3))
    inputs = gan.row_inputs(seeds, tf.ones([3]), labels, **controls)
    latents = model.latents(row_seeds(1, 3), labels=labels)
    np.testing.assert_allclose(inputs["latents"], latents)
    if config.clusters:  # latents of a label are its own
        again = model.generate(latents, labels)
        np.testing.assert_allclose(again, samples, atol=1e-5)
        if config.classes:
            others = model.latents(row_seeds(1, 30), labels=np.arange(30) % 10)
            assert np.any(others != model.latents(row_seeds(1, 30)))
    if config.classes:
        inputs["labels"] = tf.constant(labels)
    np.testing.assert_allclose(gan.sample(gan.networks, inputs), samples, atol=1e-5)
    assert model.kind == ("images" if gan.makes_images else "points")
    assert model.metadata["recipe"] == recipe


def test_pictures_and_metrics_are_of_the_averages_where_there_are_some():
    config = tiny_config("mlp", ema_decay=0.5)
    training = build_training(config)
    picture, evaluate = (
        build_picture(config, training),
        build_evaluation(config, training),
    )
    pixels, metrics = picture(0), evaluate()
    for variable in training.gan.generator.trainable_variables:
        variable.assign(2.0 * variable)
    np.testing.assert_array_equal(picture(0), pixels)
    assert evaluate() == metrics
    for name, variable in named_weights(training.sampled).items():
        if name.startswith("generator/"):
            variable.assign(2.0 * variable)
    assert not np.array_equal(picture(0), pixels)
    assert evaluate() != metrics


def test_samples_that_are_not_finite_are_not_scored():
    """As a last update may leave them, whose losses were still finite."""
    config = tiny_config("mlp")
    training = build_training(config)
    evaluate = build_evaluation(config, training)
    assert evaluate()["fcd_1k"] > 0
    weights = training.gan.generator.get_weights()
    training.gan.generator.set_weights([w * np.nan for w in weights])
    with pytest.raises(NotFiniteError, match="samples are not finite"):
        evaluate()


def test_clipped_weights_stay_within_bounds():
    config = tiny_config(
        "dcgan_fast", loss="wasserstein", r1_weight=0.0, discriminator_clip=0.01
    )
    training = build_training(config)
    eager_step(training)
    weights = [v.numpy() for v in training.gan.discriminator.trainable_variables]
    largest = max(np.abs(w).max() for w in weights)
    assert largest == np.float32(0.01)
    assert max(np.abs(w).max() for w in training.gan.generator.get_weights()) > 0.02


@pytest.mark.parametrize("mixed_precision", ["off", "bfloat16"])
@pytest.mark.parametrize(
    "recipe", ["dcgan_cpu", "dcgan_fast", "cgan_embedding", "moons", "gaussian"]
)
def test_spectral_normalization_of_any_discriminator(recipe, mixed_precision, tmp_path):
    config = tiny_config(
        recipe,
        spectral_normalization=True,
        mixed_precision=mixed_precision,
    )
    training = build_training(config)
    names = [name for name in training.variables if name.endswith("_direction")]
    before = [training.variables[name].numpy() for name in names]
    losses = eager_step(training)
    assert np.isfinite(losses).all()
    assert names
    for name, old in zip(names, before, strict=True):
        now = training.variables[name].numpy()
        np.testing.assert_allclose(np.linalg.norm(now), 1.0, rtol=1e-5)
        # Of a single column there is but one direction.
        assert len(now) == 1 or not np.array_equal(old, now)
    what_made_it = {"classes": config.classes}
    exporter(config, training.variables)(tmp_path / "model", what_made_it)
    model = LoadedModel(tmp_path / "model")
    labels = np.array([1, 2]) if config.classes else None
    assert len(model.sample(row_seeds(1, 2), labels=labels)) == 2


@pytest.mark.parametrize(
    "networks", ["dcgan", "dcgan_tutorial", "dcgan32", "mlp", "cgan_onehot", "cdcgan"]
)
def test_every_pair_on_images_can_be_told_clusters(networks):
    config = tiny_config(
        "dcgan_fast",
        networks=networks,
        clusters=4,
        ema_decay=0.0,
        sample_count=20,
    )
    training = build_training(config)
    assert np.isfinite(eager_step(training)).all()
    assert {"clusters/centres", "clusters/targets"} <= set(training.variables)
    assert build_picture(config, training)(0).dtype == np.uint8


@pytest.mark.parametrize("recipe", ["dcgan_fast", "cgan_embedding"])
def test_a_step_of_wgan_gp(recipe):
    config = tiny_config(
        recipe,
        loss="wasserstein",
        r1_weight=0.0,
        gradient_penalty_weight=10.0,
        discriminator_updates=2,
        shared_draws="batch",
    )
    training = build_training(config)
    losses = eager_step(training)
    names = training.step.names
    assert "discriminator_gradient_penalty" in names
    assert np.isfinite(losses).all()
    assert losses[names.index("discriminator_gradient_penalty")] > 0


def test_the_picture_of_a_conditional_run_has_a_class_in_each_row():
    """G is made to paint its label, and the rows are then of ten shades in order."""
    config = tiny_config("cgan_onehot", sample_count=30)
    training = build_training(config)
    training.gan.sample = lambda networks, inputs: tf.broadcast_to(
        tf.cast(inputs["labels"], tf.float32)[:, None, None, None] / 9.0,
        [30, 28, 28, 1],
    )
    sheet = build_picture(config, training)(0)
    assert sheet.shape == (10 * 29 + 1, 3 * 29 + 1)
    for row in range(10):
        shades = sheet[1 + 29 * row : 29 * (row + 1)][:, [5, 35, 65]]
        assert (shades == round(255 * row / 9)).all()
