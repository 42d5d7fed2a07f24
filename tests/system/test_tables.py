import pytest

from tfgan_mnist.system.tables import columns, spread


def test_values_are_a_mean_between_the_least_and_the_greatest():
    assert spread([1.0, 2.0, 6.0], "{:.1f}") == "3.0 (1.0 – 6.0)"


def test_values_that_read_alike_are_one():
    assert spread([7.0], "{:.2f}") == "7.00"
    assert spread([0.991, 0.994], "{:.1%}") == "99.2% (99.1% – 99.4%)"
    assert spread([0.991, 0.994], "{:.0%}") == "99%"


def test_columns_are_as_wide_as_their_widest_cell():
    table = columns(["name", "fcd"], [["a", "1.25"], ["longer", ""]])
    assert table.splitlines() == [
        "name    fcd",
        "a       1.25",
        "longer",
    ]
    assert columns(["name", "fcd"], []) == "name  fcd"


def test_a_row_with_too_few_cells_is_an_error():
    with pytest.raises(ValueError):
        columns(["name", "fcd"], [["a"]])
