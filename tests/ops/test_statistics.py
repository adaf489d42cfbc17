import pytest

from tests.proof import proof

pytestmark = pytest.mark.filterwarnings("ignore:(var|std).*degrees of freedom:UserWarning")  # PyTorch's

test_parity, test_numeric, test_second = proof("ops.statistics")
