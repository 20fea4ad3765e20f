"""Text on a picture: none of it hides other text, and what has no room is left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geofence.adapters.lettering import BgrColour, Lettering

LEGEND = ["one line of a legend", "a second one", "a third", "red: the fourth"]
WHITE: BgrColour = (255, 255, 255)


def picture() -> npt.NDArray[np.uint8]:
    return np.full((400, 600, 3), 90, np.uint8)


def test_labels_never_cover_the_legend() -> None:
    alone, crowded = picture(), picture()
    for image, count in ((alone, 0), (crowded, 30)):
        letters = Lettering(image, 1.0)
        letters.panel(LEGEND)
        for number in range(count):
            letters.label(f"a zone with a name, {number}", (90.0, 20.0), WHITE)
        letters.write()
    is_legend = (alone != 90).any(axis=2)
    assert np.array_equal(crowded[is_legend], alone[is_legend])
    assert (crowded != alone).any()


def test_a_label_beside_a_spot_tells_where_it_begins() -> None:
    letters = Lettering(picture(), 1.0)
    begins = [letters.label_beside("the same place", (200.0, 200.0), WHITE) for _ in range(20)]
    assert begins[0] == (200.0, 200.0)
    placed = [begin for begin in begins if begin is not None]
    assert 1 < len(placed) == len(set(placed)) < 20
