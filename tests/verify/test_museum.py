"""The mistakes of the museum: each passes the loose check that its authors had, and fails the strict one."""

import pytest

from ndl.verify.museum import EXHIBITS, STRICT, Exhibit

every = pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda e: e.name)


@every
def test_the_loose_check_passes_the_mistake(exhibit: Exhibit) -> None:
    assert exhibit.loose() <= exhibit.allows


@every
def test_the_strict_check_does_not(exhibit: Exhibit) -> None:
    assert exhibit.strict() > 0.1 > STRICT


@every
def test_the_strict_check_passes_what_is_right(exhibit: Exhibit) -> None:
    assert exhibit.right() <= STRICT
