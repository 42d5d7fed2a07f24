import keras
import numpy as np
import pytest

from tfgan_mnist.networks import conditional, dcgan, stacked

PARAMETERS = {
    # dense layers, then four numbers a unit of batch normalisation
    "cgan_onehot": (
        (110 * 128 + 128)
        + (128 * 256 + 256)
        + (256 * 512 + 512)
        + (512 * 784 + 784)
        + 4 * (256 + 512),
        (794 * 512 + 512) + (512 * 256 + 256) + (256 + 1),
    ),
    # the same with an embedding 10 → 10
    "cgan_embedding": (
        100
        + (110 * 128 + 128)
        + (128 * 256 + 256)
        + (256 * 512 + 512)
        + (512 * 1024 + 1024)
        + (1024 * 784 + 784)
        + 4 * (256 + 512 + 1024),
        100 + (794 * 512 + 512) + (512 * 256 + 256) + (256 + 1) + 4 * 256,
    ),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_by_hand(name):
    found = [n.count_params() for n in getattr(conditional, name)(100, 128, 1, 10)]
    assert found == list(PARAMETERS[name])


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("cdcgan", 3 * 3 * 8 * 8, 2 * 2 * 8 * 8), ("cdcgan_fast", 49 * 4 * 8, 16 * 4 * 8)],
)
def test_a_plain_pair_with_a_wider_input_and_a_vector_for_each_label(name, first, last):
    pair = getattr(dcgan, name.replace("cdcgan", "dcgan"))(100, 8, 1)
    plain = [network.count_params() for network in pair]
    pair = getattr(conditional, name)(100, 8, 1, 10)
    told = [network.count_params() for network in pair]
    assert told == [plain[0] + 10 * first, plain[1] + 10 * last]


def test_cdcgan_s_logit_is_the_plain_one_and_a_product_with_the_label_s_vector():
    _, discriminator = conditional.cdcgan(100, 4, 1, 10)
    images = np.random.default_rng(1).uniform(-1, 1, [10, 28, 28, 1]).astype("float32")
    labels = np.arange(10, dtype=np.int32)
    logits = discriminator([images, labels]).numpy()[:, 0]

    parts = {type(layer): layer for layer in discriminator.layers}
    features = parts[keras.Sequential](images).numpy()
    weights, offset = parts[keras.layers.Dense].get_weights()
    (vectors,) = parts[keras.layers.Embedding].get_weights()
    expected = features @ weights[:, 0] + offset + (features * vectors).sum(axis=1)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["cgan_onehot", "cgan_embedding", "cdcgan"])
def test_epsilon_and_seed(name):
    one, same, other = (
        getattr(conditional, name)(20, 4, seed, 10) for seed in (1, 1, 2)
    )
    for a, b, c in zip(
        *((*pair[0].weights, *pair[1].weights) for pair in (one, same, other)),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)
        if "kernel" in a.path or "embeddings" in a.path:
            assert not np.array_equal(a, c), a.path
    norms = [
        layer
        for network in one
        for layer in network.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    assert all(norm.epsilon == 0.8 for norm in norms)
    assert bool(norms) == (name != "cdcgan")  # whose norms are inside dcgan's networks


def test_clusters_of_a_stack_each_have_a_vector():
    """D's logit is the plain one and a product with each channel's cluster's vector."""
    generator, discriminator = conditional.clustered(
        stacked.stacked, 0, 256, 8, 1, 5, stacked=3
    )
    plain = [network.count_params() for network in stacked.stacked(256, 8, 1)]
    told = 3 * conditional.EMBEDDED_CLUSTER
    assert generator.count_params() == plain[0] + told * 4 * 4 * 64 + 15 * told
    assert discriminator.count_params() == plain[1] + 15 * 4 * 4 * 16
    images = np.random.default_rng(1).uniform(-1, 1, [4, 28, 28, 3]).astype("float32")
    clusters = np.array([[0, 1, 2], [4, 4, 4], [3, 0, 0], [2, 2, 1]], np.int32)
    logits = discriminator([images, clusters]).numpy()[:, 0]

    parts = {type(layer): layer for layer in discriminator.layers}
    features = parts[keras.Sequential](images).numpy()
    weights, offset = parts[keras.layers.Dense].get_weights()
    (vectors,) = parts[keras.layers.Embedding].get_weights()
    direction = vectors.reshape(3, 5, -1)[np.arange(3), clusters].sum(axis=1)
    expected = features @ weights[:, 0] + offset + (features * direction).sum(axis=1)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
