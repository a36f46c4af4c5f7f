"""A lake agrees with a few dicts, whatever is done to both."""

import pytest
from hypothesis import Phase, settings

from jupyter_datalake.testing.lake_machine import LakeMachine

# Many whole lakes, each made, collected, verified: minutes where others use the machine too.
TestLakeMachine = pytest.mark.timeout(600)(LakeMachine.TestCase)
# Not shrunk: that takes minutes, and a test that is out of time says nothing of what it found.
TestLakeMachine.settings = settings(
    settings(), stateful_step_count=30, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
