"""What `HeadReading.kept` does, in torch: on a GPU the raw output stays there, and only boxes come back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from detectors.nms import Boxes, Rows
from detectors.reading import HeadReading

_MOST_CANDIDATES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidates:
    """The best candidates of every picture, best first and padded: xyxy (N, K, 4), the others (N, K)."""

    xyxy: Any
    confidence: Any
    class_id: Any
    is_there: Any


def kept_boxes(torch: Any, head: Any, reading: HeadReading) -> tuple[Rows, Boxes]:
    """A head (N, 4 + classes, anchors) of `Layout.YOLO_V8_HEAD` on any device → what `HeadReading.kept` gives.

    Ties of confidence may fall the other way round.
    """
    found = _candidates(torch, head.float(), reading)
    stays = _survivors(torch, found, reading)
    picture, rank = stays.nonzero(as_tuple=True)
    packed = torch.cat(
        (
            found.xyxy[picture, rank],
            found.confidence[picture, rank, None],
            found.class_id[picture, rank, None].float(),
            picture[:, None].float(),
        ),
        dim=1,
    )
    rows = packed.cpu().numpy()  # one copy, one wait
    boxes = Boxes(
        xyxy=np.ascontiguousarray(rows[:, :4]),
        confidence=np.ascontiguousarray(rows[:, 4]),
        class_id=rows[:, 5].astype(np.int32),
    )
    return rows[:, 6].astype(np.intp), boxes


def _candidates(torch: Any, head: Any, reading: HeadReading) -> _Candidates:
    """The best class of a place counts; of each picture at most _MOST_CANDIDATES, and no more than there are."""
    thresholds = torch.as_tensor(reading.thresholds, device=head.device)
    confidence, class_id = head[:, 4:].max(dim=1)
    is_sure = confidence >= thresholds[class_id]
    most = min(int(is_sure.sum(dim=1).max()), _MOST_CANDIDATES)
    best, anchor = torch.where(is_sure, confidence, -1.0).topk(most, dim=1)
    centre, size = head[:, :4].gather(2, anchor[:, None].expand(-1, 4, -1)).transpose(1, 2).split(2, dim=2)
    half = size / 2
    return _Candidates(
        xyxy=torch.cat((centre - half, centre + half), dim=2),
        confidence=best,
        class_id=class_id.gather(1, anchor),
        is_there=best >= 0,
    )


def _survivors(torch: Any, found: _Candidates, reading: HeadReading) -> Any:
    """(N, K) which candidates stay.

    A box stays when no better one that stays covers it too far. Asked again and again with the last answer, this
    settles on what the greedy loop gives: after n rounds the first n boxes are right, and usually all are after a few.
    """
    if not reading.has_doubles or not found.is_there.numel():
        return found.is_there
    threatens = _threats(torch, found, reading)
    stays = found.is_there
    for _ in range(found.is_there.shape[1]):
        after = found.is_there & ~(threatens & stays[:, :, None]).any(dim=1)
        if torch.equal(after, stays):
            break
        stays = after
    return stays


def _threats(torch: Any, found: _Candidates, reading: HeadReading) -> Any:
    """(N, K, K) whether the first box, a better one, covers the second too far for both to stay."""
    xyxy = found.xyxy
    top_left = torch.maximum(xyxy[:, :, None, :2], xyxy[:, None, :, :2])
    bottom_right = torch.minimum(xyxy[:, :, None, 2:], xyxy[:, None, :, 2:])
    shared = (bottom_right - top_left).clamp_(min=0).prod(dim=3)
    area = (xyxy[:, :, 2:] - xyxy[:, :, :2]).clamp(min=0).prod(dim=2)
    group = torch.as_tensor(reading.groups, device=xyxy.device)[found.class_id]
    is_rival = group[:, :, None] == group[:, None, :]
    limit = torch.where(is_rival, reading.iou_limit, reading.any_group_limit)
    covers = shared > limit * (area[:, :, None] + area[:, None, :] - shared)
    return covers.triu(diagonal=1)
