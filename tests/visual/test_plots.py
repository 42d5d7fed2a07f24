import imageio.v3 as imageio
import numpy as np

from tfgan_mnist.visual.plots import plot_curves


def test_a_plot_has_a_curve_in_each_colour(tmp_path):
    steps = np.arange(50)
    plot_curves(
        steps, {"D": steps * 0.1, "G": 5 - steps * 0.1}, tmp_path / "a.png", "loss"
    )
    pixels = imageio.imread(tmp_path / "a.png")[..., :3].reshape(-1, 3)
    assert imageio.imread(tmp_path / "a.png").shape[:2] == (500, 800)
    for colour in ((31, 119, 180), (255, 127, 14)):  # matplotlib's first two
        assert (np.abs(pixels.astype(int) - colour).sum(axis=1) < 10).sum() > 300
