import pytest

from tests.proof import proof

pytestmark = pytest.mark.filterwarnings("ignore:.*non-contiguous:UserWarning")  # PyTorch's, about its own speed

test_parity, test_numeric, test_second = proof("ops.counting")
