"""Memory of the batches is used again, and what lies idle is bounded."""

from __future__ import annotations

from detectors.buffers import BatchBuffers


def test_memory_given_back_is_taken_again_for_its_shape_only() -> None:
    buffers = BatchBuffers()
    first = buffers.take((2, 32, 64, 3))
    assert (first.shape, first.itemsize, buffers.idle_bytes) == ((2, 32, 64, 3), 1, 0)
    buffers.give_back(first)
    assert buffers.idle_bytes == first.nbytes
    assert buffers.take((2, 64, 32, 3)) is not first
    assert buffers.take((2, 32, 64, 3)) is first
    assert buffers.take((2, 32, 64, 3)) is not first
    assert buffers.idle_bytes == 0


def test_pictures_of_every_size_do_not_fill_the_memory() -> None:
    buffers = BatchBuffers(most_idle_bytes=10_000)
    for side in range(1, 60):
        buffers.give_back(buffers.take((1, side, side, 3)))
        assert buffers.idle_bytes <= max(10_000, 3 * side * side)
    newest = buffers.take((1, 59, 59, 3))
    assert buffers.idle_bytes == 0
    buffers.give_back(newest)
    assert buffers.take((1, 59, 59, 3)) is newest
