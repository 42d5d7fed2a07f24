import json

import numpy as np
import pytest
from conftest import assert_one_line_error, run

from tfgan_mnist import protocols, saving, scores
from tfgan_mnist.data.mnist import mnist5k


def test_a_table_and_the_same_as_json(toy, tmp_path):
    flags = [f"--saved_model={toy}", "--output=scores.json"]
    code, stdout, stderr = run("evaluate", *flags, cwd=tmp_path)
    assert (code, stderr) == (0, "")
    found = json.loads((tmp_path / "scores.json").read_text())
    assert found["dataset"] == "moons"
    assert found["samples"] == 2_500
    assert set(found["scores"]) == {"near_arcs", "bins", "energy_distance"}
    assert found["scores"]["near_arcs"]["real"] == pytest.approx(0.997, abs=0.003)
    assert found["scores"]["bins"]["real"] == 20.0
    assert stdout.strip() == scores.table(found)


def test_scores_are_those_of_the_samples_of_each_seed(toy):
    model = saving.SavedGenerator(toy)
    found = scores.score(model, seeds=(4, 5))["scores"]["near_arcs"]
    figures = protocols.PROTOCOLS["moons"].figures
    each = [
        figures(model.sample(saving.row_seeds(seed, 2_500)), None)["near_arcs"]
        for seed in (4, 5)
    ]
    assert found["mean"] == pytest.approx(np.mean(each))
    assert found["deviation"] == pytest.approx(np.std(each))


def test_a_conditional_model_is_asked_for_every_digit_as_often(conditional):
    found = scores.score(saving.SavedGenerator(conditional), seeds=(1,))
    assert found["judge"] == "judge-1"
    assert found["samples"] == 10_000
    # Untrained: it does not know what it is asked for.
    assert found["scores"]["digit_agreement"]["mean"] < 0.3
    assert "judge-1" in scores.table(found)


def test_a_model_that_does_not_say_what_it_imitates(toy, tmp_path):
    import shutil

    shutil.copytree(toy, tmp_path / "model")
    (tmp_path / "model/assets.extra/tfgan_mnist.json").unlink()
    result = run("evaluate", f"--saved_model={tmp_path / 'model'}")
    assert_one_line_error(result, "does not say which data set")


def test_agreement_compares_with_the_labels_that_were_asked_for():
    """A generator that answers each label with a real digit of it agrees."""
    images, digits = mnist5k()

    class Real:
        path, classes = "real", 10
        metadata = {"dataset": "mnist"}  # noqa: RUF012

        def sample(self, seeds, temperature=1.0, labels=None):
            of_class = [np.flatnonzero(digits == label) for label in range(10)]
            chosen = [
                of_class[label][i % 500] for i, label in enumerate(map(int, labels))
            ]
            return images[chosen] / 255.0

    found = scores.score(Real(), seeds=(1,))["scores"]
    assert found["digit_agreement"]["mean"] > 0.99
    assert found["classes"]["mean"] == 10
    assert found["class_kl"]["mean"] < 0.001
