"""Judges of one's own data: trained, random, as files, and in a run."""

import dataclasses
import json

import numpy as np
import pytest
from conftest import tiny_config

from tfgan_mnist import evaluate, judge, load
from tfgan_mnist.data.mnist import mnist5k
from tfgan_mnist.evaluation import judges, report
from tfgan_mnist.model import protocol_of_run
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.train import train


def colourful(count: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """Three classes that anyone can tell apart: mostly red, green or blue."""
    random = np.random.default_rng(1)
    labels = np.arange(count) % 3
    images = random.integers(0, 120, [count, 32, 32, 3], dtype=np.uint8)
    images[np.arange(count), :, :, labels] += 120
    return images, labels.astype(np.int32)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Colourful images with labels and without, and a judge of either, as files."""
    folder = tmp_path_factory.mktemp("judges")
    images, labels = colourful()
    np.savez(folder / "labelled.npz", images=images, labels=labels)
    np.savez(folder / "plain.npz", images=images)
    for name in ("labelled", "plain"):
        words = [
            f"--dataset={folder / name}.npz",
            f"--output={folder / name}_judge.npz",
        ]
        judge.main([*words, "--epochs=8"])
    return folder


def test_a_judge_learns_the_classes_and_its_file_is_the_same_judge(places):
    own = judges.read_judge(places / "labelled_judge.npz")
    assert own.judge.version.startswith("labelled-judge-")
    assert (own.about.dataset, own.about.classes) == ("labelled.npz", 3)
    assert (own.about.count, own.about.held_out) == (216, 24)
    assert own.about.accuracy == 1.0
    images, labels = colourful()
    features = own.judge.features(images / np.float32(255.0))
    assert np.mean(own.judge.classes_of(features) == labels) == 1.0
    found = own.protocol.metrics(features[:216], labels[:216])
    assert found["class_agreement_216"] == 1.0
    assert found["classes_216"] == 3.0
    assert found["fcd_216"] < 1.0
    assert not any("mnist" in name or "digit" in name for name in found)
    # One class of three: what the alarm hears.
    one = own.protocol.quick_metrics(np.repeat(features[:72:3], 9, axis=0), None)
    assert one["classes_216"] < own.protocol.expected["classes_216"]
    assert one["diversity_216"] < own.protocol.expected["diversity_216"]


def test_a_rare_class_is_not_expected_in_few_samples(places):
    """Of a thousand real samples a third lack a class of one in a thousand."""
    own = judges.read_judge(places / "labelled_judge.npz")
    assert own.protocol.expected["classes_216"] == 3.0
    shares = np.array([0.6, 0.38, 0.02])  # four of 216
    real = dataclasses.replace(own.real, class_shares=shares)
    rare = dataclasses.replace(own, real=real).protocol
    assert rare.expected["classes_216"] == 2.0
    real = dataclasses.replace(own.real, class_shares=np.full(62, 1 / 62))
    many = dataclasses.replace(own, real=real).protocol
    drawn = np.random.default_rng(1).integers(0, 62, [1_000, 216])
    seen = np.array([len(set(some)) for some in drawn])
    assert np.mean(seen < many.expected["classes_216"]) < 0.01
    assert many.expected["classes_216"] > 0.9 * 62


def test_random_features_say_that_they_are(places):
    own = judges.read_judge(places / "plain_judge.npz")
    assert own.judge.version.startswith("plain-random-")
    assert own.about.accuracy is None
    images, _ = colourful()
    features = own.judge.features(images / np.float32(255.0))
    found = own.protocol.metrics(features[:216], None)
    assert all(name.startswith("random_") for name in found)
    noise = np.random.default_rng(2).random([216, 32, 32, 3], np.float32)
    far = own.protocol.metrics(own.judge.features(noise), None)
    assert far["random_fd_216"] > 10 * max(found["random_fd_216"], 1e-3)
    assert far["random_coverage_216"] < 0.2 < found["random_coverage_216"]
    assert own.protocol.distance == "random_fd_216"


def test_a_run_and_evaluate_measure_by_it_and_name_it(places, tmp_path, capsys):
    file = places / "labelled_judge.npz"
    config = tiny_config(
        "cdcgan_fast",
        dataset=str(places / "labelled.npz"),
        judge=str(file),
        steps=8,
        max_seconds=0.0,
        evaluate_every=4,
        log_every=4,
        run_dir=str(tmp_path / "run"),
    )
    train(config, echo=[].append)
    own = judges.read_judge(file)
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert found["judge"] == own.judge.version
    assert found["dataset"] == "labelled.npz"
    made_by = tmp_path / "run" / "saved_model" / "assets.extra" / "tfgan_mnist.json"
    assert str(places) not in made_by.read_text()
    words = [f"--saved_model={tmp_path / 'run' / 'saved_model'}"]
    output = tmp_path / "found.json"
    evaluate.main([*words, f"--judge={file}", f"--output={output}"])
    assert own.judge.version in capsys.readouterr().out
    measured = json.loads(output.read_text())
    assert measured["judge"] == own.judge.version
    assert measured["metrics"].keys() >= found["metrics"].keys()
    with pytest.raises(UserError, match="tfgan-mnist judge makes one"):
        evaluate.main(words)
    evaluate.main([f"--run_dir={tmp_path / 'run'}"])  # whose judge is on record
    assert own.judge.version in capsys.readouterr().out
    found = load(tmp_path / "run").evaluate(quick=True)
    assert found["judge"] == own.judge.version
    with pytest.raises(UserError, match="give another --judge"):
        evaluate.main([*words, "--judge=mnist"])


def test_a_run_on_mnist_keeps_to_the_judge_that_it_was_given(places, tmp_path):
    config = tiny_config(
        steps=2,
        judge=str(places / "labelled_judge.npz"),
        evaluate_every=2,
        run_dir=str(tmp_path / "run"),
    )
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.flags").write_text(config.to_flags())
    with pytest.raises(UserError, match="knows images of 3 channels"):
        protocol_of_run(str(tmp_path / "run"))


def test_a_run_without_a_judge_takes_random_features(places, tmp_path):
    config = tiny_config(
        "dcgan_fast",
        dataset=str(places / "plain.npz"),
        steps=4,
        max_seconds=0.0,
        evaluate_every=4,
        run_dir=str(tmp_path / "run"),
    )
    train(config, echo=[].append)
    found = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert found["judge"].startswith("plain-random-")
    assert all(name.startswith("random_") for name in found["metrics"])
    output = tmp_path / "found.json"
    evaluate.main([f"--run_dir={tmp_path / 'run'}", f"--output={output}"])
    measured = json.loads(output.read_text())
    assert measured["judge"] == found["judge"]
    assert measured["metrics"].keys() >= found["metrics"].keys()
    record = tmp_path / "prepared" / "mnist" / "3.0.1" / "dataset_info.json"
    record.parent.mkdir(parents=True)
    record.touch()
    words = [f"--run_dir={tmp_path / 'run'}", f"--data_dir={tmp_path / 'prepared'}"]
    with pytest.raises(UserError, match=r"--data_dir=.*; leave it out"):
        evaluate.main(words)
    (tmp_path / "run" / "checkpoints").rename(tmp_path / "kept")
    with pytest.raises(UserError, match="has no checkpoint yet"):
        evaluate.main(words[:1])


def test_digits_of_one_s_own_can_be_measured_by_the_packaged_judge():
    images, labels = mnist5k()
    config = tiny_config("dcgan_fast", judge="mnist", evaluate_every=4)
    from tfgan_mnist.build import build_protocol

    assert build_protocol(config).judge == "judge-1"
    found = report.measure_images(images[::5] / np.float32(255.0))
    assert (found["judge"], len(labels)) == ("judge-1", 5_000)


def test_too_few_images_and_other_files_are_refused(places, tmp_path):
    images, labels = colourful(30)
    with pytest.raises(UserError, match="30 images are too few"):
        judges.make_judge(images, labels, judges.About("few", 3))
    for content in (b"", b"no judge", (places / "plain.npz").read_bytes()):
        (tmp_path / "wrong.npz").write_bytes(content)
        with pytest.raises(UserError, match=r"--judge=.*wrong\.npz: is no judge"):
            judges.read_judge(tmp_path / "wrong.npz")
    config = tiny_config("dcgan_fast", judge="mnist", evaluate_every=4)
    with pytest.raises(UserError, match="nothing is measured"):
        dataclasses.replace(config, evaluate_every=0)
