"""The published test kit: contracts that stores must keep, faults, fixtures, the lake's model.

==========================  =====================================================================
``object_store_suite``      `ObjectStoreSuite`: what every `ObjectStore` must do, as a test class
``metadata_suite``          `MetadataSuite`: the same for `MetadataStore`
``lake_machine``            `LakeMachine`: a lake beside a dict, driven by Hypothesis
``strategies``              paths, contents and edits that have broken file stores before
``invariants``              what must be true of any lake at any time
``faults``                  stores that fail on purpose, and points at which a process dies
``crashing``                the crash harness: verbs killed at every step; `crash_verbs` lists them
``grounds``, ``s3_grounds`` where its lakes are: on a disk, in S3, with SQLite, with Postgres
``recording_disk``          a disk mounted by FUSE that writes down what is done to it
``power_loss``              what a power cut could leave of such a disk, and lakes opened on it
``lake_states``             what a lake shows, as a value to compare
``dask_cluster``            a Dask scheduler and workers in processes of their own
``told_executor``           datums that do as they are told, for tests of what hands them over
``old_databases``           databases as older releases left them
``fixtures``                a pytest plugin: lakes in memory and on disk, clocks that are set
==========================  =====================================================================

Nothing at run time imports this. Only `fixtures` and the suites import pytest, and only
`strategies` and `lake_machine` import Hypothesis.
"""
