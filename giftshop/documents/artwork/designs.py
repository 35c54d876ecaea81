"""The seven designs a buyer can choose, each drawn anew for every seed."""

import math
from collections.abc import Callable
from typing import NamedTuple

from giftshop.documents.artwork.contours import (
    BOLD,
    THIN,
    Grain,
    Point,
    Shape,
    Waver,
    flat,
    leaf,
    ring,
    smooth,
    stroke,
    target,
)
from giftshop.words import N_


def draw_shoulders(grain: Grain) -> list[Shape]:
    """Neck, shoulders and arms as a relief map, with one point of pressure."""
    middle, waver = grain.between(392, 408), Waver(grain)

    def contour(depth: float, side: int) -> list[Point]:
        return [
            (middle + side * x + 1.6 * waver(step, depth * 90), y + 1.4 * waver(step + 2, depth * 60))
            for step, (x, y) in enumerate(_half_body(depth))
        ]

    shapes = [
        stroke(ring((middle, 250), (270 + i * 46, 240 + i * 44), waver, depth=i * 30, swing=0.03)) for i in range(5)
    ]
    left, right = smooth(contour(0, -1)), smooth(contour(0, 1)[::-1])
    shapes.append(flat([*left, ("L", right[0][1]), *right[1:], ("Z", ())]))
    for side in (-1, 1):
        shapes += [stroke(smooth(contour(i / 10, side)), 2.8 if i == 0 else THIN) for i in range(10)]
    shapes.append(stroke(smooth(contour(1, 1))))
    side = grain.pick((-1, 1))
    return shapes + target((middle + side * 92, 148), (50, 44), waver, rings=5, step=0.2, angle=side * 0.3)


def _half_body(depth: float) -> list[Point]:
    """Return one side from the neck down the arm, measured from the spine; depth 0 is the silhouette, 1 the spine."""
    rest = 1 - depth
    reach = rest**1.15
    return [
        (40 * reach + 1, -20),
        (41 * reach + 1, 30),
        (54 * reach + 2, 70 - 6 * rest),
        (106 * reach + 2, 104 - 10 * rest),
        (168 * reach + 2, 128 - 8 * rest + 26 * depth),
        (208 * reach + 2, 172 - 6 * rest + 30 * depth),
        (222 * reach + 2, 250),
        (226 * reach + 2, 362),
    ]


def draw_raked_sand(grain: Grain) -> list[Shape]:
    """Raked sand that parts around two stones."""
    stones = (
        ((grain.between(430, 450), 206.0), (66.0, 50.0)),
        ((grain.between(318, 334), 92.0), (30.0, 23.0)),
    )
    shapes = []
    for row in range(24):
        top, points = -12 + row * 16, []
        for x in range(-20, 641, 30):
            y = top + 3 * math.sin(x / 140 + row * 0.05)
            for (stone_x, stone_y), (half_width, half_height) in stones:
                across, down = (x - stone_x) / half_width, (top - stone_y) / half_height
                push = half_height * 1.2 * math.exp(-across * across / 1.9) * math.exp(-abs(down) / 1.5)
                y += math.copysign(push, down)
            points.append((float(x), y))
        shapes.append(stroke(smooth(points)))
    big, small = stones
    shapes += target(*big, Waver(grain), rings=4, step=0.24)
    return shapes + target(*small, Waver(grain), rings=3, step=0.24, accent=False)


def draw_stones(grain: Grain) -> list[Shape]:
    """A pile of four stones; one of them is warm."""
    middle, floor, waver = grain.between(395, 425), 286.0, Waver(grain)
    ripples = [(150.0 + i * 62, 26 + i * 17 + i * i * 0.5) for i in range(13)]
    shapes = [stroke(ring((middle, 300), each, waver, depth=i * 40)) for i, each in enumerate(ripples)]
    for number, (half_width, half_height) in enumerate(((128, 44), (98, 38), (70, 32), (40, 24))):
        x, y, angle = middle + grain.between(-14, 14), floor - half_height, grain.between(-0.06, 0.06)
        floor, waver, top = y - half_height * 0.93, Waver(grain), number == 3
        edge = ring((x, y), (half_width, half_height), waver, swing=0.06, angle=angle)
        shapes.append(flat(edge, accent=number == 1))
        for i in range(4 if top else 6):
            size = 1 - i * (0.2 if top else 0.15)
            centre, radii = (x + i * 1.6, y - i * 0.8), (half_width * size, half_height * size)
            shapes.append(
                stroke(
                    ring(centre, radii, waver, depth=i * 18, swing=0.06, angle=angle),
                    BOLD if i == 0 else THIN,
                )
            )
    return shapes


def draw_still_water(grain: Grain) -> list[Shape]:
    """Rings on still water."""
    waver, centre = Waver(grain), (grain.between(390, 440), grain.between(150, 200))
    shapes = [flat(ring(centre, (44, 40), waver, swing=0.1), accent=True)]
    for i in range(15):
        radius = 62 + i * 27 + i * i * 0.55
        outline = ring(centre, (radius, radius * 0.8), waver, depth=60 + i * 26, swing=0.085)
        shapes.append(stroke(outline, BOLD if i % 4 == 0 else THIN))
    return shapes


def draw_eucalyptus(grain: Grain) -> list[Shape]:
    """One long stem from edge to edge, leaves on both sides of it; one of them is warm."""
    lean, sway = grain.between(-12, 12), grain.between(-0.2, 0.2)

    def stem(along: float) -> Point:
        return -40 + along * 690, 226 - along * 118 + lean + 34 * math.sin(along * 5.2 + sway)

    def heading(along: float) -> float:
        return math.atan2(-118 + 177 * math.cos(along * 5.2 + sway), 690)

    shapes = [stroke(smooth([stem(i / 12) for i in range(13)]), 3)]
    warm = grain.pick((5, 7))
    for number in range(12):
        along, side = 0.03 + number * 0.083, 1 if number % 2 else -1
        length, breadth = (84 - number * 1.6) * grain.between(0.94, 1.06), 29 - number * 0.4
        angle = heading(along) + side * (0.78 + grain.between(-0.1, 0.1))
        x, y = stem(along)
        centre = (x + math.cos(angle) * length * 1.04, y + math.sin(angle) * length * 1.04)
        edges = [leaf(centre, length, breadth, angle=angle, bend=0.16 * side, size=1 - i * 0.25) for i in range(4)]
        shapes.append(flat(edges[0], accent=number == warm))
        shapes += [stroke(edge, 2.2 if i == 0 else THIN) for i, edge in enumerate(edges)]
    return shapes


def draw_held(grain: Grain) -> list[Shape]:
    """Two cupped hands around one warm point."""
    waver, centre = Waver(grain), (grain.between(404, 416), 128.0)

    def hand(depth: float, side: int) -> list[Point]:  # depth 0 is the outer edge
        edge = [
            (20 + 9 * depth, 372),
            (26 + 11 * depth, 306 - 2 * depth),
            (64 + 12 * depth, 262 - 4 * depth),
            (118 + 7 * depth, 206 + 4 * depth),
            (152 + 2 * depth, 128 + 22 * depth),
            (172 - 7 * depth, 92 + 44 * depth),
            (190 - 16 * depth, 108 + 42 * depth),
            (186 - 17 * depth, 172 + 22 * depth),
            (164 - 15 * depth, 248 + 6 * depth),
            (136 - 14 * depth, 318),
            (126 - 16 * depth, 372),
        ]
        return [(centre[0] + side * x, y) for x, y in edge]

    shapes = []
    for i in range(7):
        radius = 62 + i * 40 + i * i * 1.5
        shapes.append(stroke(ring(centre, (radius, radius), waver, depth=i * 30, swing=0.035)))
    for side in (-1, 1):
        shapes.append(flat([*smooth(hand(0, side)), ("Z", ())]))
        for i in range(5):
            points = [(x + 1.2 * waver(step, i * 20), y) for step, (x, y) in enumerate(hand(i * 0.55, side))]
            shapes.append(stroke(smooth(points), 2.6 if i == 0 else THIN))
    return shapes + target(centre, (46, 45), waver, rings=3, step=0.33, swing=0.05)


def draw_dunes(grain: Grain) -> list[Shape]:
    """Dunes under a low sun."""
    waves = [(grain.between(0.6, 1.4), grain.between(0, math.tau), grain.between(8, 26)) for _ in range(3)]
    sun, waver = (grain.between(420, 470), 104.0), Waver(grain)
    shapes = [flat(ring(sun, (50, 50), waver, swing=0.04), accent=True)]
    for i in range(13):
        radius = 64 + i * 16 + i * i * 1.9
        shapes.append(stroke(ring(sun, (radius, radius), waver, depth=i * 30, swing=0.04)))
    for row in range(17):
        top, calm, points = 118 + row * 14.5 + row * row * 0.12, 1 - row * 0.022, []
        for x in range(-20, 641, 55):
            lift = sum(height * math.sin(pace * x / 95 + phase + row * 0.16) for pace, phase, height in waves)
            points.append((float(x), top + lift * calm))
        ridge = smooth(points)
        shapes.append(flat([*ridge, ("L", ((640, 350),)), ("L", ((-20, 350),)), ("Z", ())]))
        shapes.append(stroke(ridge, BOLD if row % 4 == 0 else THIN))
    return shapes


class Design(NamedTuple):
    """A design as the buyer sees it, how to draw it, and what a wide crop keeps: 0 its top, 1 its bottom."""

    name: str
    draw: Callable[[Grain], list[Shape]]
    focus: float = 0.5


DESIGNS: dict[str, Design] = {
    "shoulders": Design(N_("Shoulders"), draw_shoulders, 0.35),
    "raked-sand": Design(N_("Raked sand"), draw_raked_sand),
    "stones": Design(N_("Stones"), draw_stones, 0.12),
    "still-water": Design(N_("Still water"), draw_still_water),
    "eucalyptus": Design(N_("Eucalyptus"), draw_eucalyptus),
    "held": Design(N_("Held"), draw_held, 0.3),
    "dunes": Design(N_("Dunes"), draw_dunes, 0.22),
}
