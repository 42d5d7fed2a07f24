import numpy as np
import pytest
from conftest import tiny_config, write_model

from tfgan_mnist.build import build_gan
from tfgan_mnist.serving.inversion import invert
from tfgan_mnist.serving.reader import LoadedModel, row_seeds


@pytest.fixture(scope="module")
def styled(tmp_path_factory):
    """A tiny stylegan, untrained."""
    path = tmp_path_factory.mktemp("styled") / "model"
    write_model(build_gan(tiny_config("stylegan")), path, {})
    return LoadedModel(path)


def test_a_model_s_own_sample_is_found_again(conditional):
    model = LoadedModel(conditional)
    labels = np.array([3, 7])
    images = model.sample(row_seeds(5, 2), labels=labels)
    found = invert(model, images, labels, starts=4, steps=60)
    assert found.errors.shape == (61, 2)
    assert (found.errors[-1] < 0.2 * found.errors[0]).all()
    again = model.generate(found.codes, labels)
    np.testing.assert_allclose(again, found.samples, atol=1e-5)
    apart = ((images - found.samples) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(apart, found.errors[-1], rtol=1e-3)


def test_styles_are_found_where_there_are_some(styled):
    images = styled.sample(row_seeds(5, 1))
    found = invert(styled, images, starts=2, steps=20)
    assert found.codes.shape == (1, *styled.styles(row_seeds(1, 1)).shape[1:])
    assert found.errors[-1] < found.errors[0]
    np.testing.assert_allclose(styled.synthesize(found.codes), found.samples, atol=1e-5)


def test_sheets_and_psi_of_a_saved_model(styled):
    sheet = styled.sheet("style_mixing", 3, 2)
    images = styled.sample(row_seeds(3, 2))
    np.testing.assert_allclose(sheet[[0, 3]], images, atol=1e-5)  # the diagonal
    drawn = styled.sheet("noise", 3, 2, truncation_psi=0.0)
    np.testing.assert_allclose(drawn[0], drawn[2], atol=0.1)


def test_prompts_are_told_as_labels_are(tmp_path):
    write_model(build_gan(tiny_config("stackgan_1")), tmp_path / "m", {"classes": 10})
    model = LoadedModel(tmp_path / "m")
    prompts = np.array(["a thin seven"])
    images = model.sample(row_seeds(5, 1), labels=prompts)
    found = invert(model, images, prompts, starts=2, steps=20)
    again = model.generate(found.codes, prompts)
    np.testing.assert_allclose(again, found.samples, atol=1e-5)
