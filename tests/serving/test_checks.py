"""Every signature answers rightly, or says which input is wrong."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2

from tfgan_mnist.gans.gan import Signature
from tfgan_mnist.serving.checks import checked

LATENTS = tf.zeros([2, 100])
SEEDS, TEMPERATURES, LABELS = np.array([1, 2]), np.ones(2, np.float32), np.array([3, 4])
IMAGES = tf.zeros([4, 28, 28, 1])
NAN, INF = np.float32("nan"), np.float32("inf")


@pytest.fixture(scope="module")
def signatures(conditional):
    model = tf.saved_model.load(str(conditional))
    return {"model": model, **model.signatures}


def refusal(signature, **inputs) -> str:
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        signature(**{name: tf.constant(x) for name, x in inputs.items()})
    return str(error.value)


@pytest.mark.parametrize("name", ["sample", "sample_png"])
@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({"temperature": np.ones(3, np.float32)}, "temperature: one for each row"),
        ({"seed": np.array([1])}, "seed: one for each row"),
        ({"label": np.array([1])}, "one for each row of label"),
        (
            {"temperature": np.array([1, NAN], np.float32)},
            "temperature: must be from 0 to 100",
        ),
        (
            {"temperature": np.array([1, INF], np.float32)},
            "temperature: must be from 0 to 100",
        ),
        ({"temperature": np.array([1, -1], np.float32)}, "temperature: must be from"),
        ({"label": np.array([1, 10])}, "label: must be from 0 to 9"),
        ({"label": np.array([1, -1])}, "label: must be from 0 to 9"),
        ({n: np.zeros(0, int) for n in ("seed", "label")}, "has no rows"),
    ],
)
def test_rows_that_do_not_fit_are_named(signatures, name, inputs, words):
    right = {"seed": SEEDS, "temperature": TEMPERATURES, "label": LABELS}
    assert words in refusal(signatures[name], **right | inputs)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        (tf.zeros([4, 28, 28, 1]) + 2.0, "images: must be from 0 to 1"),
        (tf.zeros([4, 28, 28, 1]) + NAN, "images: must be from 0 to 1"),
        (tf.zeros([0, 28, 28, 1]), "images: has no rows"),
        (
            tf.zeros([16, 14, 14, 1]),
            "images [16,14,14,1] is not compatible with expected",
        ),
        (tf.zeros([2, 28, 28, 1]), "one for each row"),
    ],
)
def test_images_that_do_not_fit_are_named(signatures, images, words):
    labels = np.zeros(len(images) // 4 * 4 or 4, int)
    found = refusal(signatures["discriminate"], images=images, label=labels[:4])
    assert words in found


def test_latents_that_do_not_fit_are_named(signatures):
    generate = signatures["serving_default"]
    assert "latents: must be finite" in refusal(
        generate, latents=LATENTS + NAN, label=LABELS
    )
    assert "latents [2,50] is not compatible with expected shape [?,100]" in refusal(
        generate, latents=tf.zeros([2, 50]), label=LABELS
    )


def test_an_answer_that_is_not_finite_is_none():
    rows = {"x": tf.TensorSpec([None], tf.float32)}
    signature = Signature(lambda x: {"y": 1.0 / x, "name": tf.as_string(x)}, rows)
    answer = tf.function(checked(signature)).get_concrete_function(**rows)
    assert answer(x=tf.constant([2.0]))["y"].numpy() == [0.5]
    assert "y: not finite" in refusal(answer, x=np.zeros(1, np.float32))


def test_a_server_that_looks_at_no_shape_gets_the_same_refusals(conditional):
    """TensorFlow Serving feeds a session, as here; it compares nothing."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(conditional))

        def ask(name, **inputs):
            signature = loaded.signature_def[name]
            options = config_pb2.CallableOptions()
            options.feed.extend(signature.inputs[key].name for key in inputs)
            options.fetch.extend(x.name for x in signature.outputs.values())
            answer = session._make_callable_from_options(options)
            return answer(*[np.asarray(x) for x in inputs.values()])

        right = {"seed": SEEDS, "temperature": TEMPERATURES, "label": LABELS}
        assert all(len(rows) == 2 for rows in ask("sample", **right))
        for wrong, words in [
            ({"seed": np.int64(1)}, "seed .* is not compatible with expected"),
            ({"seed": SEEDS[:1]}, "seed: one for each row"),
            (
                {"temperature": np.ones([2, 2], np.float32)},
                "temperature .2,2. is not compatible",
            ),
            ({"temperature": TEMPERATURES * NAN}, "temperature: must be from 0 to 100"),
        ]:
            with pytest.raises(tf.errors.InvalidArgumentError, match=words):
                ask("sample", **right | wrong)
        for shape in ([4, 14, 14, 1], [1, 28, 28], [1, 784]):
            with pytest.raises(
                tf.errors.InvalidArgumentError,
                match=r"images .* is not compatible with expected shape",
            ):
                ask("discriminate", images=np.zeros(shape, np.float32), label=[1])
