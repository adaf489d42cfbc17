"""The weights of these tests' layers are the same in every run, whatever ran before them."""

import pytest

import ndl


@pytest.fixture(autouse=True)
def seeded() -> None:
    ndl.manual_seed(0)
