import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf
from conftest import assert_one_line_error, call, tiny_config

from tfgan_mnist.build import build_training
from tfgan_mnist.system.errors import UserError
from tfgan_mnist.training.checkpoint import Checkpoints, State
from tfgan_mnist.training.transfer import Start, read_weights

pytestmark = pytest.mark.usefixtures("eagerly")


def values(training) -> dict[str, np.ndarray]:
    return {name: np.asarray(v) for name, v in training.variables.items()}


@pytest.mark.parametrize("source", ["", "saved_model"])
def test_the_same_networks_take_everything(trained, source):
    """A SavedModel holds averages in place of G's own weights; they serve as both."""
    weights = read_weights(trained / source)
    training = build_training(tiny_config(seed=9))
    before = values(training)
    start = Start(trained / source, training.variables)
    start.assign(training.variables)
    kept = [name for name in before if "_optimizer/" not in name]
    assert start.sentence.endswith(f"took {len(kept)} of {len(kept)} variables")
    for name, now in values(training).items():
        if "_optimizer/" in name:
            np.testing.assert_array_equal(now, before[name])
            continue
        if source:
            name = name.replace("_average/", "/")
        np.testing.assert_array_equal(now, weights[name])
    kernel = "generator/00_kernel"
    assert not np.array_equal(before[kernel], values(training)[kernel])


def test_what_does_not_fit_is_named_and_left_alone(trained):
    config = tiny_config(latent_dim=7, seed=9)
    training = build_training(config)
    before = values(training)["generator/00_kernel"]
    start = Start(trained, training.variables)
    start.assign(training.variables)
    expected = "not generator/00_kernel ([100, 784] there, [7, 784] here)"
    assert expected in start.sentence
    np.testing.assert_array_equal(values(training)["generator/00_kernel"], before)


def clustered_run(folder, **flags):
    """What trains with three clusters, and a checkpoint of it in a folder."""
    training = build_training(tiny_config("dcgan_fast", **flags))
    Checkpoints(folder / "checkpoints", 1, print).save(State(training.variables))
    return training


def test_limits_of_latents_are_found_anew(tmp_path):
    """They depend on softness and share, which are this run's own."""
    source = clustered_run(tmp_path, cluster_softness=1.0, rejected_latents=0.5)
    own = build_training(
        tiny_config("dcgan_fast", cluster_softness=0.5, rejected_latents=0.8, seed=9)
    )
    Start(tmp_path, own.variables).assign(own.variables)
    own.gan.renew(9)
    np.testing.assert_array_equal(own.gan.clusters.targets, source.gan.clusters.targets)
    candidates = tf.random.stateless_normal([4000, 2, 16], [1, 2])
    beyond = own.gan.clusters.first_clear(candidates) != candidates[:, 0]
    # The second of two is taken if it alone is clear, or if it is nearer to its limit.
    beyond = np.any(beyond, axis=1).mean()
    np.testing.assert_allclose(beyond, 0.8 * 0.2 + 0.8 * 0.8 / 2, atol=0.04)


def test_clusters_are_taken_whole_or_not_at_all(tmp_path):
    clustered_run(tmp_path, latent_dim=20)
    own = build_training(tiny_config("dcgan_fast", latent_dim=5, seed=9))
    before = own.gan.clusters.centres.numpy()
    start = Start(tmp_path, own.variables)
    assert "clusters/targets ([3, 16] there, [3, 5] here)" in start.sentence
    start.assign(own.variables)
    np.testing.assert_array_equal(own.gan.clusters.centres, before)


def test_nothing_that_fits_is_an_error(trained):
    training = build_training(tiny_config("mlp", base_channels=6))
    with pytest.raises(UserError, match="none of its weights fits"):
        Start(trained, training.variables)


def test_a_run_starts_from_another_and_resumes_as_itself(trained, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(trained, source)
    flags = [f"--flagfile={trained / 'config.flags'}", f"--init_from={source}"]
    flags += ["--steps=2", f"--run_dir={tmp_path / 'second'}"]
    code, stdout, stderr = call("train", *flags)
    assert code == 0, stderr
    assert f"started from {source}: took" in stdout
    assert "; not " not in stdout.splitlines()[1]
    gone = [flag for flag in flags if not flag.startswith("--init_from")]
    gone.append(f"--init_from={source}")
    shutil.rmtree(source)  # what was taken is in the checkpoints
    code, stdout, stderr = call("train", *gone, "--steps=3")
    assert code == 0, stderr
    assert "started from" not in stdout
    assert "resuming at step 2" in stdout


def test_a_run_may_start_again_from_its_own_weights(trained, tmp_path):
    """They are read before the run is removed."""
    run_dir = tmp_path / "run"
    shutil.copytree(trained, run_dir)
    kernel = read_weights(run_dir)["discriminator/00_kernel"]
    flags = [f"--flagfile={trained / 'config.flags'}", f"--init_from={run_dir}"]
    flags += ["--steps=1", "--overwrite", "--discriminator_learning_rate=1e-30"]
    code, stdout, stderr = call("train", *flags, f"--run_dir={run_dir}")
    assert code == 0, stderr
    assert "started from" in stdout
    np.testing.assert_allclose(
        read_weights(run_dir)["discriminator/00_kernel"], kernel, atol=1e-12
    )


def test_a_source_that_does_not_fit_costs_no_run(trained, toy, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(trained, run_dir)
    before = sorted(path.name for path in run_dir.rglob("*"))
    flags = [f"--flagfile={trained / 'config.flags'}", f"--init_from={toy}"]
    flags += ["--overwrite", "--base_channels=6", f"--run_dir={run_dir}"]
    result = call("train", *flags)
    assert result[0] == 2
    assert "none of its weights fits" in result[2]
    assert sorted(path.name for path in run_dir.rglob("*")) == before


@pytest.mark.parametrize("content", [None, "empty"])
def test_what_holds_no_weights_is_one_line(tmp_path, content):
    source = tmp_path / "source"
    if content:
        source.mkdir()
    flags = ["--flagfile=dcgan_cpu.flags", f"--init_from={source}"]
    result = call("train", *flags, f"--run_dir={tmp_path / 'run'}")
    assert_one_line_error(result, "--init_from", str(source))
    assert not (tmp_path / "run").exists()


def test_metadata_does_not_say_where_the_weights_were(tmp_path):
    from tfgan_mnist.runner import metadata
    from tfgan_mnist.training.checkpoint import State

    config = dataclasses.replace(tiny_config(), init_from="/somewhere/else")
    assert "/somewhere" not in str(metadata(config, State({})))


@pytest.mark.parametrize("source", ["", "saved_model"])
def test_a_second_stage_goes_on_from_the_averages_of_the_first(source, tmp_path):
    """Its generator is not trained there; all else begins afresh, or as it fits."""
    run_dir = tmp_path / "first"
    first = ["--flagfile=stackgan_1", "--dataset=mnist5k", "--base_channels=4"]
    narrow = [*first[1:], "--batch_size=8", "--max_seconds=0", "--evaluate_every=0"]
    flags = [first[0], *narrow, "--steps=2", f"--run_dir={run_dir}"]
    code, _, stderr = call("train", *flags)
    assert code == 0, stderr
    weights = read_weights(run_dir)
    training = build_training(tiny_config("stackgan_2"))
    start = Start(run_dir / source, training.variables, training.gan.frozen)
    start.assign(training.variables)
    own = {name for name in weights if name.startswith("generator/")}
    averages = {name.replace("/", "_average/") for name in own}
    assert own and averages <= set(weights)
    assert any(
        not np.array_equal(weights[name], weights[name.replace("/", "_average/")])
        for name in own
    )
    for name, now in values(training).items():
        network, _, weight = name.partition("/")
        if network == "generator":
            np.testing.assert_array_equal(now, weights[f"generator_average/{weight}"])
    narrower = build_training(tiny_config("stackgan_2", latent_dim=7))
    with pytest.raises(UserError, match="lacks what this run goes on from"):
        Start(run_dir / source, narrower.variables, narrower.gan.frozen)
