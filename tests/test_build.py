import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import eager_step, tiny_config

from tfgan_mnist import registry
from tfgan_mnist.build import (
    build_clusters,
    build_gan,
    build_training,
    load_data,
)
from tfgan_mnist.config import Config
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.system.flags import flag_of
from tfgan_mnist.training.optimizers import Adam


def test_a_game_s_options_are_the_flags_that_name_it():
    flags = {field.name: flag_of(field) for field in dataclasses.fields(Config)}
    training_alone = {
        "simultaneous",
        "clusters",
        "cluster_softness",
        "rejected_latents",
    }
    training_alone |= {"spectral_normalization"}
    training_alone |= {"generator_spectral_normalization", "task", "latent_dim"}
    training_alone |= {name for name in flags if name.startswith("discriminator_")}
    for game, declared in registry.GAMES.items():
        found = registry.find(declared.make).Options
        options = {field.name for field in dataclasses.fields(found)}
        assert options <= set(flags)
        own = {n for n, flag in flags.items() if game in flag.games} - training_alone
        if game == "unconditional":  # told clusters, it is the conditional game
            own.remove("mismatched_weight")
        assert own <= options
        for name in options:
            assert not flags[name].games or game in flags[name].games


@pytest.mark.parametrize(
    ("networks", "flag"),
    [
        ("vae", {"r1_weight": 0.1}),
        ("vae", {"loss": "hinge"}),
        ("dcgan", {"kl_weight": 0.5}),
        ("dcgan", {"class_weight": 2.0}),
        ("acgan", {"mismatched_weight": 0.1}),
        ("acgan", {"clusters": 3}),
        ("vae", {"discriminator_updates": 2}),
    ],
)
def test_another_game_s_flag_is_refused(networks, flag):
    (name, value), *_ = flag.items()
    game = registry.NETWORKS[networks].game
    with pytest.raises(UserError, match=f"--{name}={value}: .* the game {game}"):
        tiny_config("non_saturating", networks=networks, **flag)


def rows_of(batch) -> set[bytes]:
    return {np.asarray(row).tobytes() for row in batch["samples"]}


def test_five_updates_of_d_see_five_batches():
    """Algorithm 1 of Arjovsky et al., 2017, draws a batch for each of them."""
    config = tiny_config("wgan", batch_size=16)
    training = build_training(config)
    batches = training.step.batches(tf.constant(3))
    assert training.step.draws == len(batches) == 5
    # MNIST holds no image twice among so few.
    assert len(set.union(*map(rows_of, batches))) == 5 * 16
    (next_batch, *_) = training.step.batches(tf.constant(4))
    assert not rows_of(next_batch) & rows_of(batches[-1])


def test_an_epoch_of_five_batches_a_step_holds_every_image_once():
    config = tiny_config("wgan", batch_size=100)
    training = build_training(config)
    images, _ = load_data(config)
    examples = [
        training.step.batch.__closure__[0].cell_contents.indices(tf.constant(i), j)
        for i in range(len(images) // 500)
        for j in range(5)
    ]
    assert sorted(np.concatenate(examples)) == list(range(len(images)))


@pytest.mark.parametrize(("shared", "batches"), [("none", 3), ("batch", 1), ("all", 1)])
def test_what_updates_share(shared, batches):
    config = tiny_config(
        "relativistic_r1_r2", discriminator_updates=2, shared_draws=shared
    )
    training = build_training(config)
    assert training.step.draws == batches  # G's side looks at real samples too
    assert np.isfinite(eager_step(training)).all()


def test_simultaneous_gradients_come_from_the_same_passes():
    """The same step written out: one pass of G, one of D on each, then both move."""
    config = tiny_config(
        "dcgan_cpu",
        simultaneous=True,
        shared_draws="none",
        generator_updates=1,
        discriminator_optimizer="sgd",
        generator_optimizer="sgd",
        discriminator_learning_rate=0.1,
        generator_learning_rate=0.1,
        ema_decay=0.0,
    )
    training, twin = build_training(config), build_training(config)
    losses = training.step(tf.constant(0), tf.constant(1)).numpy()
    gan, (batch,) = twin.gan, twin.step.batches(tf.constant(0))
    seed = tf.random.fold_in(twin.step.latent_seed, 0)
    latents = gan.draw_latents(config.batch_size, tf.random.fold_in(seed, 0))
    d, g = gan.networks["discriminator"], gan.networks["generator"]
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    with tf.GradientTape() as d_tape, tf.GradientTape() as g_tape:
        fakes = g(latents, training=True)
        real, fake = d(batch["samples"], training=True), d(fakes, training=True)
        d_loss = entropy(tf.ones_like(real), real) + entropy(tf.zeros_like(fake), fake)
        g_loss = entropy(tf.ones_like(fake), fake)
    gradients = [
        (network.trainable_variables, tape.gradient(loss, network.trainable_variables))
        for network, tape, loss in ((d, d_tape, d_loss), (g, g_tape, g_loss))
    ]
    for variables, found in gradients:
        for variable, gradient in zip(variables, found, strict=True):
            variable.assign_sub(0.1 * gradient)
    for name in ("discriminator", "generator"):
        for ours, theirs in zip(
            training.gan.networks[name].weights, gan.networks[name].weights, strict=True
        ):
            np.testing.assert_allclose(ours, theirs, atol=1e-5, err_msg=ours.path)
    names = training.step.names
    np.testing.assert_allclose(losses[0, names.index("discriminator")], d_loss, 1e-5)
    np.testing.assert_allclose(losses[0, names.index("generator")], g_loss, 1e-5)


def test_simultaneous_moves_are_one_each():
    with pytest.raises(UserError, match="--simultaneous=true: both sides move once"):
        tiny_config(simultaneous=True)
    with pytest.raises(UserError, match="--shared_draws=all: --simultaneous shares"):
        tiny_config(simultaneous=True, generator_updates=1)


def test_the_latents_of_a_vae_are_normal():
    with pytest.raises(UserError, match="--latent_distribution=uniform: the game vae"):
        tiny_config("vae", latent_distribution="uniform")


def optimizers(**flags) -> list[keras.optimizers.Optimizer]:
    training = build_training(tiny_config(**flags))
    return [player.optimizer for player in training.step.players]


def test_each_side_has_the_optimizer_that_its_flag_names():
    d, g = optimizers(
        discriminator_optimizer="rmsprop",
        generator_optimizer="sgd",
        discriminator_learning_rate=5e-5,
        beta_2=0.9,
        epsilon=1e-5,
    )
    assert isinstance(d, keras.optimizers.RMSprop)
    assert (d.rho, d.epsilon) == (0.9, 1e-5)
    assert float(d.learning_rate) == pytest.approx(5e-5)
    assert isinstance(g, keras.optimizers.SGD)
    d, g = optimizers(beta_1=0.4, epsilon=1e-8)
    assert type(d) is Adam
    assert (d.beta_1, d.beta_2, d.epsilon) == (0.4, 0.999, 1e-8)


@pytest.mark.parametrize(
    ("decay", "middle"), [("linear", 0.5), ("cosine", 0.5), ("none", 1.0)]
)
def test_rates_fall_over_steps_however_many_updates_a_step_has(decay, middle):
    steps = 4 if decay != "none" else 0
    config = tiny_config(learning_rate_decay=decay, decay_steps=steps)
    training = build_training(config)
    for step in range(2):
        eager_step(training, step)
    for player in training.step.players:  # D has moved twice by now, and G four times
        rate = float(player.optimizer.learning_rate) / 2e-4
        assert rate == pytest.approx(middle, rel=1e-5), player.name


def test_a_decay_without_steps_is_refused():
    with pytest.raises(UserError, match="--decay_steps=0: give both or neither"):
        tiny_config(learning_rate_decay="cosine")


def test_a_gan_declares_all_that_a_checkpoint_keeps():
    config = tiny_config("dcgan_fast")
    training = build_training(config)
    kept = {name.split("/")[0] for name in training.variables}
    assert kept == {
        "generator",
        "discriminator",
        "generator_average",
        "discriminator_optimizer",
        "generator_optimizer",
        "clusters",
    }
    assert set(training.gan.state) <= set(training.variables)
    unknown = build_gan(config)  # as for a checkpoint that is still to be read
    assert {n: v.shape for n, v in unknown.state.items()} == {
        n: v.shape for n, v in training.gan.state.items()
    }


@pytest.mark.parametrize(("networks", "count"), [("dcgan", 500), ("cdcgan", 50)])
def test_clusters_of_few_images_are_fewer(networks, count, capsys):
    """Ten images each: a recipe for 60,000 images trains on a folder too."""
    flags = {"networks": networks, "latent_distribution": "normal"}
    config = tiny_config("dcgan", clusters=501, **flags)
    assert config.clusters_of_a_class == count
    assert config.conditions == 500
    images = np.random.default_rng(1).integers(0, 256, [5000, 28, 28, 1], np.uint8)
    clusters = build_clusters(config, (images, np.arange(5000) % 10))
    assert clusters.count == count
    assert f"warning: --clusters=501: {count} of" in capsys.readouterr().err


def test_a_class_with_fewer_images_than_clusters_is_named():
    config = tiny_config("cdcgan_fast", clusters=3)
    images = np.zeros([40, 28, 28, 1], np.uint8)
    labels = np.array([0, 1] + [i for i in range(10) if i != 4] * 5, np.int32)[:40]
    with pytest.raises(UserError, match="class 4 of --dataset=mnist5k has 0 images"):
        build_clusters(config, (images, labels))
    with pytest.raises(UserError, match="--networks=cdcgan_fast: the images need labe"):
        build_clusters(config, (images, None))
    config = tiny_config("dcgan_fast", clusters=41)
    with pytest.raises(UserError, match="--clusters=41: --dataset=mnist5k has 40 ima"):
        build_clusters(config, (images, None))


@pytest.mark.parametrize(
    ("recipe", "held_out"), [("superres", 6), ("cyclegan_thickness", 12)]
)
def test_a_run_never_trains_on_what_it_holds_out(recipe, held_out, tmp_path):
    """All batches of five epochs show all other images, and none of these."""
    images = np.random.default_rng(1).integers(0, 256, [60, 28, 28], np.uint8)
    np.savez(tmp_path / "images.npz", images=images)
    dataset = f"{tmp_path / 'images.npz'}"
    training = build_training(tiny_config(recipe, dataset=dataset, evaluate_every=0))
    kinds = ("samples",) if recipe == "superres" else ("sources", "samples")

    def rows(batch) -> set[bytes]:
        return {image.numpy().tobytes() for kind in kinds for image in batch[kind]}

    kept = rows(training.held_out)
    shown = set().union(
        *(rows(training.batches.batch(tf.constant(step))) for step in range(40))
    )
    assert len(kept) == held_out
    assert not kept & shown
    assert len(kept | shown) == 60


def test_a_kind_with_too_few_images_is_named(tmp_path):
    """Half of 60 are thin; of images that are all alike, none."""
    random = np.random.default_rng(1).integers(0, 256, [60, 28, 28], np.uint8)
    for images, batch_size, few in ((random, 25, 30), (0 * random, 8, 0)):
        np.savez(tmp_path / "images.npz", images=images)
        config = tiny_config(
            "cyclegan_thickness",
            dataset=f"{tmp_path / 'images.npz'}",
            evaluate_every=0,
            batch_size=batch_size,
        )
        words = f"--task=thickness: {few} images .* --batch_size={batch_size}"
        with pytest.raises(UserError, match=words):
            build_training(config)


@pytest.mark.parametrize("recipe", ["dcgan", "stylegan"])
def test_a_step_on_large_colour_pictures(recipe, tmp_path):
    random = np.random.default_rng(1)
    images = random.integers(0, 256, [8, 128, 128, 3], np.uint8)
    np.savez(tmp_path / "images.npz", images=images, labels=np.arange(8) % 2)
    place = {"dataset": str(tmp_path / "images.npz"), "image_size": 128}
    config = tiny_config(recipe, **place, batch_size=4, steps_per_call=1)
    training = build_training(dataclasses.replace(config, evaluate_every=0))
    before = {name: np.array(v) for name, v in training.variables.items()}
    assert np.isfinite(eager_step(training)).all()
    after = {name: np.array(v) for name, v in training.variables.items()}
    moved = {name for name in after if (after[name] != before[name]).any()}
    assert all(any(n.startswith(net) for n in moved) for net in training.gan.networks)
    assert training.gan.sample_shape == (128, 128, 3)
