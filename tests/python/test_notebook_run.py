"""examples/python/hunt.ipynb runs from its first cell to its last, and lies in the tree without its outputs."""

import os
import re
import unittest

import support

try:
    import matplotlib  # noqa: F401  # pylint: disable=unused-import
    import nbclient
    import nbformat
    import sklearn  # noqa: F401  # pylint: disable=unused-import
    from jupyter_client.kernelspec import KernelSpecManager
except ImportError:
    raise SystemExit(support.SKIPPED) from None
if support.pandas is None or "python3" not in KernelSpecManager().find_kernel_specs():
    raise SystemExit(support.SKIPPED)

NOTEBOOK = support.ROOT / "examples" / "python" / "hunt.ipynb"


class Notebook(unittest.TestCase):
    def setUp(self):
        self.notebook = nbformat.read(NOTEBOOK, 4)

    def test_it_runs(self):
        os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        client = nbclient.NotebookClient(self.notebook, timeout=240, kernel_name="python3",
                                         resources={"metadata": {"path": str(NOTEBOOK.parent)}})
        client.execute()  # raises what a cell raises: the cells themselves assert that C and Python agree
        outputs = [output for cell in self.notebook.cells for output in cell.get("outputs", ())]
        text = "".join(output.get("text", "") for output in outputs)
        pictures = [output for output in outputs if "image/png" in output.get("data", {})]
        self.assertGreaterEqual(len(pictures), 6)
        said = re.findall(r"(\w+): (\d+) packets, \d+ features, the same in the notebook and in C", text)
        self.assertEqual(said, [("malicious", "3256"), ("benign", "1044")])
        accuracy = float(re.search(r"accuracy +([\d.]+)", text).group(1))
        self.assertGreater(accuracy, 0.9)
        warned = [output.text for output in outputs if output.get("name") == "stderr"]
        self.assertEqual([text for text in warned if "Warning" in text], [])

    def test_it_is_kept_clean(self):
        nbformat.validate(self.notebook)
        for cell in self.notebook.cells:
            if cell.cell_type == "code":
                self.assertEqual((cell.outputs, cell.execution_count), ([], None))
            self.assertEqual(cell.metadata, {})
        self.assertNotRegex(NOTEBOOK.read_text(), r"/(home|tmp|usr|var)/|pickle\.|\.pkl")


if __name__ == "__main__":
    support.main()
