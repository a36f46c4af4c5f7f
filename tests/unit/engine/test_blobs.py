"""Blobs: what was given to a writer comes back from a reader, or not at all."""

from jupyter_datalake.engine.blobs import register_packs
from jupyter_datalake.model.packs import BlobKind


def test_packs_of_a_transaction_that_was_rolled_back_are_handed_out_again(memory_lake):
    core = memory_lake.core
    with core.writer() as writer:
        first = writer.add(BlobKind.CHUNK, b"first " * 50)
        writer.seal()  # … and the transaction that would have registered it was rolled back
        second = writer.add(BlobKind.CHUNK, b"second " * 50)
        packs = writer.seal()
        with core.metadata.write() as tx:
            register_packs(tx, packs)
    assert core.blobs.get(first) == b"first " * 50
    assert core.blobs.get(second) == b"second " * 50
