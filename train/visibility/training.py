"""Training of the visibility network: `python -m train.visibility`.

Legend: N views, K keypoints (15).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edge.drawing import SEEN
from edge.evaluation.metrics import area_under_curve
from edge.keypoints import KEYPOINT_NAMES
from train.checkpoints import save
from train.data.faces import hash_file
from train.data.labelled_faces import LabelledFaces, are_held_out
from train.data.labelled_sources import read_nonfaces, read_permissive
from train.run_record import MODEL, RunPaths, describe, open_run, write_record
from train.torch_layers import with_torch_layers
from train.visibility.faces import bare_faces, masked_faces
from train.visibility.network import UNKNOWN, build, known_crossentropy, with_output
from train.visibility.recipe import VisibilityRecipe
from train.visibility.views import Pictures, Views, draw_views

_FILES = ("permissive/annotations.jsonl", "permissive/mesh.npz", "facemask/annotations.jsonl")
_MAX_FACES_BEFORE = 400  # pictures of other people in front of a face
_SAVED_AT_ONCE = 1024  # views of a prediction


@dataclass(frozen=True, slots=True)
class Sets:
    """The views of a run: those trained on, and those of faces that are held out."""

    training: Views
    held_out: Views


def train_visibility(recipe: VisibilityRecipe, paths: RunPaths) -> dict[str, Any]:
    """Train the visibility network and write the run folder.

    Args:
        recipe: all settings.
        paths: `data` is the folder with `permissive/` and `facemask/`.

    Returns:
        What was written to `run.json`.

    Raises:
        DataError, ImageError, OSError: as `read_sets`.
        RunError: the run folder cannot be used.
    """
    hashes = {name: hash_file(paths.data / name) for name in _FILES}
    record = {"kind": "visibility", **describe(recipe, hashes, keras.backend.backend())}
    record = open_run(paths, record)
    keras.utils.set_random_seed(recipe.seed)
    sets = read_sets(paths.data, recipe, np.random.default_rng(recipe.seed))
    network = _fit(recipe, sets.training)
    save(with_output(network), paths.output / MODEL)
    record |= {
        "rows": {"training": len(sets.training), "validation": len(sets.held_out)},
        "validation": validate(network, sets.held_out),
    }
    write_record(record, paths.output)
    return record


def read_sets(folder: Path, recipe: VisibilityRecipe, rng: np.random.Generator) -> Sets:
    """Draw the views of all faces.

    Those of held-out faces are covered by other held-out faces, and by other parts of photos.

    Raises:
        DataError: a file is missing or malformed, or no face is labelled.
        ImageError: a photo cannot be decoded.
        OSError: a photo is missing.
    """
    faces, mesh = read_permissive(folder / "permissive")
    others = list(read_nonfaces(folder / "permissive" / "no_face", rng).images)
    held_out = are_held_out(faces)
    bare = list(bare_faces(faces, mesh, recipe.turns, rng))
    per_face = {
        "photo": recipe.covers,
        "turned": recipe.turned_covers,
        "facemask": recipe.masked_covers,
    }
    parts = {
        is_held_out: draw_views(
            [face for face in bare if face.is_held_out is is_held_out],
            _pictures(faces.take(held_out == is_held_out), others[is_held_out::2]),
            per_face,
            rng,
        )
        for is_held_out in (False, True)
    }
    masked = draw_views(
        masked_faces(folder / "facemask"), _pictures(faces.take(~held_out), others[::2]),
        per_face, rng,
    )  # fmt: skip
    return Sets(_joined(parts[False], masked), parts[True])


def _pictures(faces: LabelledFaces, others: list[NDArray[np.uint8]]) -> Pictures:
    step = -(-len(faces) // _MAX_FACES_BEFORE)
    people = list(faces.images[::step])
    return Pictures(others + people, people)


def _joined(first: Views, second: Views) -> Views:
    names = ("crops", "seen", "kinds")
    return Views(*(np.concatenate([getattr(first, n), getattr(second, n)]) for n in names))


def _fit(recipe: VisibilityRecipe, views: Views) -> keras.Model:
    network = build()
    learner = with_torch_layers(network)
    for _ in range(recipe.cycles):
        _fit_cycle(recipe, learner, views)
    network.set_weights(learner.get_weights())
    return network


def _fit_cycle(recipe: VisibilityRecipe, learner: keras.Model, views: Views) -> None:
    steps = -(-len(views) // recipe.batch_size) * recipe.epochs
    schedule = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
    learner.compile(optimizer, known_crossentropy)
    learner.fit(
        views.crops[..., None],
        views.seen,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        verbose=2,
    )


def validate(network: keras.Model, views: Views) -> dict[str, Any]:
    """How well a network tells what is hidden in views.

    Returns:
        `area` under the curve of all keypoints together, those of each kind of view in `kinds` and
        of each keypoint in `keypoints`; `accuracy`; and `false_hidden`, the share of the seen
        keypoints of uncovered faces that count as hidden.
    """
    logits = np.asarray(
        network.predict(views.crops[..., None], batch_size=_SAVED_AT_ONCE, verbose=0)
    )
    is_known, is_hidden = views.seen != UNKNOWN, views.seen < SEEN
    rows = np.broadcast_to(views.kinds[:, None], is_known.shape)
    columns = np.broadcast_to(np.array(KEYPOINT_NAMES), is_known.shape)
    bare = (rows == "photo") & is_known & ~is_hidden
    return {
        "area": _area(-logits, is_hidden, is_known),
        "accuracy": round(float(((logits < 0) == is_hidden)[is_known].mean()), 4),
        "false_hidden": round(float((logits < 0)[bare].mean()), 4) if bare.any() else None,
        "kinds": {k: _area(-logits, is_hidden, is_known & (rows == k)) for k in _names(rows)},
        "keypoints": {
            k: _area(-logits, is_hidden, is_known & (columns == k)) for k in KEYPOINT_NAMES
        },
    }


def _names(rows: NDArray[np.str_]) -> list[str]:
    return sorted({str(name) for name in rows[:, 0]})


def _area(
    scores: NDArray[np.float32], is_hidden: NDArray[np.bool_], used: NDArray[np.bool_]
) -> float | None:
    """The area under the curve of the used values; None where all are hidden, or none."""
    positives, negatives = scores[used & is_hidden], scores[used & ~is_hidden]
    if not (len(positives) and len(negatives)):
        return None
    return round(area_under_curve(positives, negatives), 4)
