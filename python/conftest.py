from pathlib import Path

import pytest

PICTURES = Path(__file__).parent.parent / "examples" / "caption" / "pictures"


@pytest.fixture(scope="session")
def picture() -> Path:
    """A cat and a pizza on blue."""
    return PICTURES / "cat-and-pizza-blue.png"


@pytest.fixture(autouse=True)
def names_of_docstrings(doctest_namespace, picture):
    from captioning import Captioner

    doctest_namespace["picture"] = picture
    doctest_namespace["captioner"] = Captioner.from_pretrained()
