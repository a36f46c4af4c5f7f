"""A lake agrees with a few dicts, whatever is done to both."""

from hypothesis import settings

from jupyter_datalake.testing.lake_machine import LakeMachine

TestLakeMachine = LakeMachine.TestCase
TestLakeMachine.settings = settings(settings(), stateful_step_count=30)
