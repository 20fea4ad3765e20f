"""Whether a card and a weights file speak of the same network; one clear line where they do not."""

from __future__ import annotations

from itertools import zip_longest

from detectors.classes import normal_name
from detectors.errors import ModelError
from detectors.layouts import Layout, NetworkFacts, cell_count, class_count_of, layouts_that_fit
from detectors.model_card import ModelCard


def layout_of(card: ModelCard, facts: NetworkFacts) -> Layout:
    """The layout that card and output agree on; raises ModelError when there is none."""
    class_count = len(card.classes)
    fitting = layouts_that_fit(facts, class_count)
    if card.layout is not None and card.layout in fitting:
        return card.layout
    if card.layout is None and len(fitting) == 1:
        return fitting[0]
    raise ModelError(str(card.weights), _layout_problem(card, facts, fitting))


def refuse_other_names(card: ModelCard, facts: NetworkFacts) -> None:
    """Raises ModelError when the file carries class names and the card lists others, or in another order."""
    if facts.class_names is None:
        return
    for row, (in_file, on_card) in enumerate(zip_longest(facts.class_names, card.classes)):
        if in_file is None or on_card is None:
            counts = f"the file names {len(facts.class_names)} classes, the card {card.name!r} {len(card.classes)}"
            raise ModelError(str(card.weights), f"{counts}; all of the file's, in its order, are right")
        if normal_name(in_file) != normal_name(on_card):
            raise ModelError(
                str(card.weights),
                f"class {row} is {in_file!r} in the file and {on_card!r} on the card {card.name!r}; "
                "the file's names in its order are right",
            )


def refuse_other_size(card: ModelCard, facts: NetworkFacts) -> None:
    """Raises ModelError when the file fixes its input and the card asks for another size."""
    if facts.fixed_px is not None and card.input_px != max(facts.fixed_px):
        width, height = facts.fixed_px
        raise ModelError(
            str(card.weights),
            f"its input is fixed at {width}×{height} px, input_px is {card.input_px}; {max(width, height)} is right",
        )


def _layout_problem(card: ModelCard, facts: NetworkFacts, fitting: tuple[Layout, ...]) -> str:
    first, second = facts.output_shape
    width, height = facts.probe_px
    output = f"its output is {first} × {second} at {width}×{height} px"
    if card.layout is None and len(fitting) > 1:
        return f"{output}, which could be {' or '.join(fitting)}; the card should say which: layout = …"
    if card.layout is not None and fitting:
        return f"{output}, not the card's layout {card.layout}; {fitting[0]} is right"
    found = class_count_of(facts)
    if found is not None and found != len(card.classes):
        return f"{output}, {found} classes; the card {card.name!r} lists {len(card.classes)}"
    count, cells = len(card.classes), cell_count(facts.probe_px)
    return (
        f"{output}; for {count} classes right would be {4 + count} × boxes ({Layout.YOLO_V8_HEAD}), "
        f"{cells} × {5 + count} ({Layout.YOLOX}) or rows × 6 ({Layout.YOLO_END2END})"
    )
