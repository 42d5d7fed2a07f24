import math

import numpy as np
import pytest
import tensorflow as tf
from conftest import eager_step, tiny_config, untrained

from tfgan_mnist.build import build_gan, build_training, load_data
from tfgan_mnist.data.captions import FACETS, held_out, levels, measure
from tfgan_mnist.data.grammar import MOST_WORDS
from tfgan_mnist.serving.reader import LoadedModel, row_seeds
from tfgan_mnist.system.seeds import LATENTS, run_seed

STEP = tf.constant(0)


@pytest.fixture(scope="module")
def first():
    return build_training(tiny_config("stackgan_1"))


@pytest.fixture(scope="module")
def second():
    return build_gan(tiny_config("stackgan_2"))


@pytest.fixture(scope="module")
def batch(first):
    return first.batches.batch(STEP)


def test_fakes_are_of_the_batch_s_own_captions(first, batch):
    fakes = first.gan.generate(batch, run_seed(1, LATENTS), STEP)
    np.testing.assert_array_equal(fakes["condition"], batch["captions"])
    assert fakes["samples"].shape == (8, 14, 14, 1)
    again = first.gan.generate(batch, run_seed(1, LATENTS), STEP)
    np.testing.assert_array_equal(fakes["samples"], again["samples"])


def test_the_divergence_of_conditions_in_closed_form(first, batch):
    """KL(N(2, 4) ‖ N(0, 1)) of each of three numbers, times its weight."""
    fakes = dict(first.gan.generate(batch, run_seed(1, LATENTS), STEP))
    fakes["mean"] = tf.fill([8, 3], 2.0)
    fakes["log_variance"] = tf.fill([8, 3], math.log(4.0))
    terms = first.gan.losses(batch, fakes, ["generator"])["generator"]
    each = 0.5 * (4.0 + 4.0 - math.log(4.0) - 1.0)
    expected = first.gan.options.kl_weight * 3 * each
    assert float(terms["kl"]) == pytest.approx(expected)
    fakes["mean"] = fakes["log_variance"] = tf.zeros([8, 3])
    terms = first.gan.losses(batch, fakes, ["generator"])["generator"]
    assert float(terms["kl"]) == 0.0


def test_the_loss_on_wrong_captions_by_hand(first, batch):
    gan = first.gan
    fakes = gan.generate(batch, run_seed(1, LATENTS), STEP)
    terms = gan.losses(batch, fakes, ["discriminator"])["discriminator"]
    right, wrong = (
        gan.discriminator([batch["samples"], batch[name]]).numpy()
        for name in ("captions", "wrong_captions")
    )
    expected = np.log1p(np.exp(-right)).mean() + np.log1p(np.exp(wrong)).mean()
    weight = gan.options.mismatched_weight
    np.testing.assert_allclose(terms["mismatched"], weight * expected, rtol=1e-5)
    assert not np.allclose(right, wrong)


def test_the_combination_that_is_held_out_is_in_no_batch(first):
    config = tiny_config("stackgan_1")
    images, labels = load_data(config)
    some = levels(measure(images), labels)
    trained = first.batches.examples
    assert trained.count == len(images) - held_out(some).sum() < len(images)
    assert not held_out(trained.labels.numpy()).any()
    assert trained.labels.shape[1] == len(FACETS)


def test_the_first_stage_stays_as_it_is_in_the_second(second):
    assert second.frozen == ("generator",)
    assert [side.networks for side in second.sides] == [
        ("discriminator",),
        ("refiner",),
    ]
    captions = tf.constant(2 * [[2, 3] + (MOST_WORDS - 2) * [0]], tf.int64)
    batch = {"samples": tf.zeros([2, 28, 28, 1]), "captions": captions}
    with tf.GradientTape() as tape:
        fakes = second.generate(batch, run_seed(1, LATENTS), STEP)
        total = tf.reduce_sum(fakes["samples"])
    refiner = second.networks["refiner"].trainable_variables
    assert all(g is not None for g in tape.gradient(total, refiner)[:1])
    # Its statistics too: it is never called as in training.
    norms = [v for v in second.networks["generator"].weights if "moving" in v.path]
    before = [v.numpy() for v in norms]
    second.generate(batch, run_seed(2, LATENTS), STEP)
    assert norms
    for old, variable in zip(before, norms, strict=True):
        np.testing.assert_array_equal(old, variable)


def test_a_sample_is_its_first_stage_s_refined(second):
    latents = second.draw_latents(2, run_seed(1, LATENTS))
    inputs = {"latents": latents, "captions": second.vectorize(["a thin 5", "two"])}
    given = [latents, inputs["captions"]]
    small = second.networks["generator"](given, training=False)[0]
    large = second.networks["refiner"]([*given, small], training=False)[0]
    images = second.sample(second.networks, inputs)
    np.testing.assert_allclose(images, large * 0.5 + 0.5, atol=1e-6)


def test_labels_alone_ask_for_the_digits_themselves(first):
    latents = first.gan.draw_latents(2, run_seed(1, LATENTS))
    prompts = {"captions": first.gan.vectorize(["7", "0"])}
    one, other = (
        first.gan.sample(first.gan.networks, {"latents": latents} | told)
        for told in (prompts, {"labels": tf.constant([7, 0])})
    )
    np.testing.assert_array_equal(one, other)


def refusal(signature, *prompts: str) -> str:
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        signature.function(
            seed=tf.range(len(prompts), dtype=tf.int64),
            temperature=tf.ones([len(prompts)]),
            prompt=tf.constant(prompts),
        )
    return str(error.value)


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a purple seven", "has words that are not known"),
        ("", "has no words"),
        ("?!", "has no words"),
        ("a " * (MOST_WORDS + 1), "has too many words"),
        ("-".join(["bold"] * (MOST_WORDS + 1)), "has too many words"),
    ],
)
def test_a_prompt_that_cannot_be_read_is_refused(first, prompt, words):
    for name in ("sample", "sample_png"):
        found = refusal(first.gan.signatures()[name], "a thin 7", prompt)
        assert f"prompt: {words}" in found
        assert "thin" not in found


def test_a_server_reads_strings_with_the_model_s_own_table(tmp_path):
    """TensorFlow Serving feeds a session, as here."""
    path = untrained("stackgan_1", tmp_path)
    prompts = np.array(["a bold 7 leaning left", "an upright two"])
    expected = LoadedModel(path).sample(row_seeds(1, 2), labels=prompts)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
        signature = loaded.signature_def["sample"]
        given = {"seed": row_seeds(1, 2), "temperature": np.ones(2), "prompt": prompts}
        names = {signature.inputs[name].name: x for name, x in given.items()}
        images = session.run(signature.outputs["images"].name, names)
    np.testing.assert_allclose(images, expected, atol=1e-6)


@pytest.mark.parametrize(
    "flags",
    [
        {"spectral_normalization": True},
        {"prelu": True},
        {"mixed_precision": "bfloat16"},
        {"gradient_penalty_weight": 10.0, "augmentation_target": 0.6},
    ],
)
@pytest.mark.parametrize("recipe", ["stackgan_1", "stackgan_2"])
def test_a_step_under_flags_of_other_games_too(recipe, flags):
    training = build_training(tiny_config(recipe, **flags))
    assert np.isfinite(eager_step(training)).all()
    if recipe == "stackgan_1" and "augmentation_target" in flags:  # traced too
        assert np.isfinite(training.step(tf.constant(0), tf.constant(1))).all()
    if "spectral_normalization" in flags:
        weights = training.gan.discriminator.weights
        kernels = [w for w in weights if w.trainable and len(w.shape) > 1]
        assert len([w for w in weights if "direction" in w.path]) == len(kernels)
