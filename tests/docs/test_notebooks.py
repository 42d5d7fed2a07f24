"""The notebook, cell by cell, with less training than it asks a reader for."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

NOTEBOOK = ROOT / "docs" / "notebooks" / "quickstart.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Training is of 20 steps in place of 60 seconds; nothing else is changed."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    (cell,) = (cell for cell in notebook.cells if "max_seconds=60" in cell.source)
    cell.source = cell.source.replace("max_seconds=60", "steps=20")
    folder = tmp_path_factory.mktemp("notebook")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        programs = Path(sys.executable).parent  # where tfgan-mnist is
        patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        NotebookClient(
            notebook, timeout=300, resources={"metadata": {"path": str(folder)}}
        ).execute()
    return notebook, folder


def outputs(notebook, words: str) -> list:
    """Of the cell that holds some words."""
    (cell,) = (c for c in notebook.cells if c.cell_type == "code" and words in c.source)
    return cell.outputs


def data(notebook, words: str) -> dict:
    """What the last expression of a cell shows, by kind."""
    (shown,) = (o for o in outputs(notebook, words) if o.output_type != "stream")
    return shown.data


def test_pictures_are_shown(executed):
    notebook, folder = executed
    assert "image/png" in data(notebook, "model.show(count=100)")
    assert "image/png" in data(notebook, "plt.plot")
    assert "image/gif" in data(notebook, "model.walk(")["text/html"]
    assert (folder / "runs" / "quickstart" / "saved_model").is_dir()
    assert (folder / "serving" / "quickstart" / "1").is_dir()


def test_the_bar_is_a_widget(executed):
    notebook, _ = executed
    kinds = {
        kind
        for output in outputs(notebook, "tfgan_mnist.train(")
        if output.output_type == "display_data"
        for kind in output.data
    }
    assert "application/vnd.jupyter.widget-view+json" in kinds


def test_what_is_committed_has_no_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not any(cell.get("outputs") for cell in cells)
