import dataclasses

import pytest
from conftest import assert_one_line_error, run

from tfgan_mnist import __version__
from tfgan_mnist.doctor import Machine, advice, look, main

GOOD = Machine(
    cores=8,
    instructions=("AVX2", "AVX-512"),
    onednn=True,
    gpus=("one",),
    nvidia=True,
    data="here",
    free=100.0,
)


def test_nothing_to_mend_is_no_advice():
    assert advice(GOOD) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gpus": ()}, "tensorflow[and-cuda]"),
        ({"gpus": (), "nvidia": False}, "dcgan_fast"),
        ({"cores": 1}, "One core"),
        ({"instructions": ("AVX2",)}, "AVX-512"),
        ({"data": ""}, "--dataset=mnist5k"),
        ({"free": 0.5}, "0.5 GB"),
    ],
)
def test_each_lack_has_its_sentence(change, words):
    (sentence,) = advice(dataclasses.replace(GOOD, **change))
    assert words in sentence


def test_kernels_that_are_off_matter_without_a_gpu():
    off = dataclasses.replace(GOOD, onednn=False)
    assert advice(off) == []
    assert "Unset it" in advice(dataclasses.replace(off, gpus=()))[-1]


def test_this_machine(tmp_path, capsys):
    (tmp_path / "mnist" / "3.0.1").mkdir(parents=True)
    (tmp_path / "mnist" / "3.0.1" / "dataset_info.json").write_text("{}")
    machine = look(str(tmp_path))
    assert machine.cores >= 1
    assert machine.free > 0
    assert machine.data == str(tmp_path)
    main([f"--data_dir={tmp_path}"])
    shown = capsys.readouterr().out
    assert f"tfgan_mnist  {__version__}" in shown
    assert f"mnist in {tmp_path}" in shown
    assert "on tensorflow" in shown


def test_a_folder_that_is_not_there_is_one_line():
    assert_one_line_error(run("doctor", "--data_dir=nowhere"), "--data_dir=nowhere")
