"""Contour lines: the strokes and spots that every design is made of, for designs.py.

One language: wavering lines around one point of focus, one flat spot of accent colour. Chance comes from a seed,
the certificate's public id, so that every certificate is its own drawing and stays it for ever.
"""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

THIN, BOLD = 1.5, 2.4

Point = tuple[float, float]
Segment = tuple[str, tuple[Point, ...]]
Outline = list[Segment]
Role = Literal["line", "accent", "ground"]
Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Shape:
    """One stroke or one flat area."""

    role: Role
    outline: Outline
    weight: float = THIN


class Grain:
    """The chance behind one drawing: the same seed gives the same lines for ever.

    Only random() is called, the one method whose sequence Python promises to keep.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(f"contour:{seed}").random  # noqa: S311  # a drawing, not a secret

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self._random()

    def pick(self, options: Sequence[Choice]) -> Choice:
        return options[int(self._random() * len(options))]


class Waver:
    """A slow deviation that neighbouring lines share, so that they breathe together."""

    def __init__(self, grain: Grain) -> None:
        self._waves = [
            (
                grain.pick((2, 3, 4, 5)),
                grain.between(-1, 1),
                grain.between(0, math.tau),
                grain.between(0.004, 0.02),
            )
            for _ in range(4)
        ]

    def __call__(self, angle: float, depth: float) -> float:
        deviation = 0.0
        for count, size, phase, drift in self._waves:
            deviation += size * math.sin(count * angle + phase + depth * drift)
        return deviation / len(self._waves)


def smooth(points: Sequence[Point], *, closed: bool = False) -> Outline:
    """Join points by a smooth curve (Catmull-Rom, written as cubic Béziers)."""
    before, after = (points[-1], points[:2]) if closed else (points[0], points[-1:])
    path = [before, *points, *after]
    outline: Outline = [("M", (points[0],))]
    for (x0, y0), (x1, y1), (x2, y2), (x3, y3) in zip(path, path[1:], path[2:], path[3:], strict=False):
        leave = (x1 + (x2 - x0) / 6, y1 + (y2 - y0) / 6)
        arrive = (x2 - (x3 - x1) / 6, y2 - (y3 - y1) / 6)
        outline.append(("C", (leave, arrive, (x2, y2))))
    return [*outline, ("Z", ())] if closed else outline


def turned(points: Iterable[Point], centre: Point, angle: float) -> list[Point]:
    """Turn points drawn around the origin and move them to their centre."""
    cos, sin = math.cos(angle), math.sin(angle)
    return [(centre[0] + x * cos - y * sin, centre[1] + x * sin + y * cos) for x, y in points]


def ring(
    centre: Point,
    radii: Point,
    waver: Waver,
    *,
    depth: float = 0,
    swing: float = 0.05,
    angle: float = 0,
) -> Outline:
    """A wavering ellipse: depth moves it along the waver, swing is how far it may stray."""
    points = []
    for step in range(12):
        around = step / 12 * math.tau
        reach = 1 + swing * waver(around, depth)
        points.append((radii[0] * reach * math.cos(around), radii[1] * reach * math.sin(around)))
    return smooth(turned(points, centre, angle), closed=True)


def leaf(centre: Point, length: float, breadth: float, *, angle: float, bend: float, size: float = 1) -> Outline:
    """A long pointed leaf whose midrib bends; size 1 is its edge, 0 its midrib."""
    upper, lower = [], []
    for step in range(7):
        along = step / 6
        x = (along - 0.5) * 2 * length * (0.3 + 0.7 * size)
        half = breadth * size * math.sin(math.pi * along**0.85)
        midrib = bend * length * (1 - (x / length) ** 2)
        upper.append((x, midrib - half))
        lower.append((x, midrib + half))
    return smooth(turned(upper + lower[-2:0:-1], centre, angle), closed=True)


def stroke(outline: Outline, weight: float = THIN) -> Shape:
    return Shape("line", outline, weight)


def flat(outline: Outline, *, accent: bool = False) -> Shape:
    return Shape("accent" if accent else "ground", outline)


def target(
    centre: Point,
    radii: Point,
    waver: Waver,
    *,
    rings: int,
    step: float,
    swing: float = 0.06,
    angle: float = 0,
    accent: bool = True,
) -> list[Shape]:
    """The point of focus: a flat spot and the rings inside it."""
    sizes = [1 - i * step for i in range(rings)]
    edges = [
        ring(centre, (radii[0] * size, radii[1] * size), waver, depth=i * 20, swing=swing, angle=angle)
        for i, size in enumerate(sizes)
    ]
    return [
        flat(edges[0], accent=accent),
        *(stroke(edge, BOLD if i == 0 else THIN) for i, edge in enumerate(edges)),
    ]
