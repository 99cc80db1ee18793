"""Which drivers of `varied/` have their mouths open as in a yawn, told by looking at each photo.

The set's annotations do not say it. Smiles and slightly parted lips do not count; a yawn behind a
hand does.
"""

from __future__ import annotations

SET = "drivers"
# Numbers of the photos, `images/NUMBER.jpg`; all others of the set do not yawn.
YAWNING = frozenset((
    2557, 2558, 2559, 2560, 2562, 2563, 2565, 2566, 2567, 2568, 2573, 2574, 2578, 2581, 2582,
    2583, 2584, 2585, 2586, 2587, 2588, 2592, 2594, 2598, 2599, 2601, 2602, 2603, 2609, 2610,
    2611, 2613, 2616, 2617, 2618, 2619, 2620, 2622, 2625, 2626, 2627, 2628, 2629, 2630, 2632,
    2635, 2636, 2638, 2640, 2642, 2643, 2644, 2645, 2646, 2648, 2649, 2651, 2652, 2655, 2657,
    2658, 2659, 2661, 2662, 2663, 2665, 2666, 2667, 2669, 2676, 2677, 2680, 2685, 2687, 2688,
    2693, 2696, 2697, 2701, 2702, 2703, 2704, 2705, 2707, 2708, 2710, 2711, 2712, 2713, 2714,
    2717, 2726, 2728, 2729, 2731, 2732, 2734, 2735, 2738, 2743, 2747, 2748, 2751, 2752, 2756,
    2757, 2761, 2762, 2763, 2764, 2766, 2767, 2771, 2772, 2773, 2775, 2777, 2778, 2779, 2780,
    2781, 2784, 2785, 2787, 2789, 2790, 2791, 2794, 2795, 2796, 2798, 2799, 2802,
))  # fmt: skip


def is_yawning(image: str) -> bool:
    """Whether the driver of a photo, named as in the annotations, yawns."""
    return int(image.rpartition("/")[2].partition(".")[0]) in YAWNING
