"""JupyterLab by `make lab`: the suite's notebooks are saved without outputs, so that running one changes no file."""

from __future__ import annotations

from typing import Any

KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def without_outputs(model: dict[str, Any], **_: Any) -> None:
    """Take outputs, and what a kernel writes about itself, out of a notebook of the suite before it is saved."""
    if model["type"] != "notebook" or "nps_research" not in model["content"]["metadata"]:
        return
    notebook = model["content"]
    notebook["metadata"] = {**KERNEL, "nps_research": notebook["metadata"]["nps_research"]}
    for cell in notebook["cells"]:
        cell["metadata"] = {name: value for name, value in cell["metadata"].items() if name == "tags" and value}
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None


if "get_config" in globals():  # by Jupyter, which alone brings it
    get_config().FileContentsManager.pre_save_hook = without_outputs  # type: ignore[name-defined]  # noqa: F821
