"""The settings of all training runs: frozen dataclasses with working defaults.

Field names are written to `run.json`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from train.data.augmentation import Augmentation
from train.data.sources import Source


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of a training run of the keypoint network.

    Attributes:
        name: of the run.
        network: a key of `train.keypoints.network.NETWORKS`.
        optimizer: `rmsprop`, or `adamw` with decoupled weight decay.
        loss: a key of `train.keypoints.losses.LOSSES`.
        epochs: maximum number of passes over the training faces.
        cooldown: epochs at the end over which the learning rate decays (`train.learning_rate`).
        batch_size: faces per optimizer step.
        learning_rate: maximum; reached after a warm-up over 2 % of the steps.
        weight_decay: of `adamw`.
        dropout: dropout rate before the prediction layer, 0–1.
        patience: epochs without a lower validation RMSE before training stops.
        validation_share: share of the faces held out for validation, 0–1.
        seed: of the split, the initial weights, dropout, the order and the augmentation.
        augmentation: probabilities and ranges of the random changes.
        sources: the sets that `train.prepare --recipe` reads.
        shares: relative frequency with which faces of each set are drawn; 1 for sets without one.
            Empty: every face once per epoch.
        calibrate_on: the sets whose validation faces scale the error radius, those with the most
            accurate labels; all sets if none of these is present.
        complete_only: whether faces that lack a keypoint are left out. Most of Kaggle's have four
            points only, the nose tip and the lower lip at other places than in its complete rows.
        minutes: time limit of the training of the keypoints; the learning rate decays towards it
            as towards the last epoch. None: all epochs.
    """

    name: str
    network: str = "reference"
    optimizer: Literal["rmsprop", "adamw"] = "rmsprop"
    loss: Literal["mse", "distance"] = "mse"
    epochs: int = 150
    cooldown: int = 147
    batch_size: int = 64
    learning_rate: float = 3e-4
    weight_decay: float = 0.0
    dropout: float = 0.3
    patience: int = 60
    validation_share: float = 0.15
    seed: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)
    sources: tuple[Source, ...] = ()
    shares: tuple[tuple[str, float], ...] = ()
    calibrate_on: tuple[str, ...] = ()
    complete_only: bool = False
    minutes: float | None = None


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """The settings of a training run of the detector that outputs the roll of faces.

    Attributes:
        name: of the run.
        canvases: number of random canvases to train on.
        batch_size: canvases per optimizer step.
        learning_rate: maximum; reached after a warm-up.
        hold: share of the canvases after which the learning rate decays along a half cosine, 0–1.
        weight_decay: of AdamW.
        momentum: decay of the moving average of the weights, per optimizer step.
        seed: of the initial weights and of the canvases.
        max_roll_deg: largest roll of the faces it learns, 0–180. Below 135 the runtime has to
            search images rotated by quarters for the others.
        photos: the sets of photos that `train.prepare --recipe` reads, name and folder.
        without_faces: the sets of photos that show no face, likewise.
        measured: the sets of `photos` of which every fifth photo is reserved for `benchmarks`.
        masked: the sets whose people wear masks already.
        single_shares: how often a canvas shows a photo with `one` face, with `several`, or of a
            `masked` set.
        mosaic_shares: likewise, of the quadrants of mosaics.
    """

    name: str
    canvases: int = 2_400_000
    batch_size: int = 64
    learning_rate: float = 2e-3
    hold: float = 0.15
    weight_decay: float = 0.02
    momentum: float = 0.9995
    seed: int = 0
    max_roll_deg: float = 180.0
    photos: tuple[tuple[str, str], ...] = ()
    without_faces: tuple[tuple[str, str], ...] = ()
    measured: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    single_shares: tuple[tuple[str, float], ...] = ()
    mosaic_shares: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class JointRecipe:
    """The settings of a training run of a residual network for keypoints and 68 points.

    Attributes:
        name: of the run.
        shape: a key of `train.keypoints.residual_network.SHAPES`.
        samples: number of random views to train on.
        batch_size: views per optimizer step.
        learning_rate: maximum; reached after a warm-up over 1 % of the samples.
        hold: share of the samples after which the learning rate decays to a hundredth, along a
            half cosine, 0–1.
        final_strength: of the random changes at the end, relative to the beginning, 0–1.
        weight_decay: of AdamW.
        momentum: decay of the moving average of the weights, per optimizer step.
        seed: of the initial weights and of the views.
    """

    name: str
    shape: str = "default"
    samples: int = 20_000_000
    batch_size: int = 1024
    learning_rate: float = 2.5e-3
    hold: float = 0.3
    final_strength: float = 0.4
    weight_decay: float = 0.01
    momentum: float = 0.9995
    seed: int = 0


_REFERENCE = Recipe(name="reference")

# Files of lfw have the person's name before the number: "Abdel_Aziz_Al-Hakim_00.jpg".
_NAME = r"([^/]+?)_?\d+\.\w+$"

# On sets for research only; its network is in export/models/research/.
_RESEARCH = Recipe(
    name="research",
    network="compact",
    optimizer="adamw",
    loss="distance",
    epochs=90,
    cooldown=40,
    learning_rate=1.5e-3,
    weight_decay=1e-4,
    dropout=0.0,
    patience=1000,  # the decay determines the last epochs; early stopping would skip it
    validation_share=0.08,
    augmentation=Augmentation(
        turn_deg=12.0,
        turn_far=0.2,
        frame_far=0.12,
        scale=0.1,
        shift=0.05,
        stretch=0.04,
        contrast=0.3,
        brightness=20.0,
        gamma=0.3,
        shade=0.25,
        low_resolution=0.2,
        compress=0.15,
        blur=1.5,
        noise=12.0,
        repairs=10,
        erase=0.2,
    ),
    sources=(
        Source("kaggle", "kaggle/training.zip", annotators="kaggle_1", complete_rows=(1, 1569)),
        Source("kaggle", "kaggle/training.zip", annotators="kaggle_2", complete_rows=(1570, 2140)),
        Source("kaggle-test", "kaggle/test_teacher.csv", annotators="converted"),
        Source("lfpw", "lfpw", "keypoints", convert=True, annotators="converted"),
        Source("lfw", "lfw", "blend", convert=True, annotators="converted", person=_NAME),
        Source("aflw", "aflw", "teacher", convert=True, annotators="converted"),
    ),
    shares=(
        ("kaggle", 0.28),
        ("kaggle-test", 0.15),
        ("lfpw", 0.16),
        ("lfw", 0.14),
        ("aflw", 0.15),
    ),
    calibrate_on=("lfpw",),  # annotated by hand, and none of its images is retouched
)

# A first network on Kaggle's file: fewer wide rotations and framings, which take longer to learn.
_QUICK = Recipe(
    name="quick",
    network="compact",
    optimizer="adamw",
    loss="distance",
    epochs=1000,  # the time limit ends it
    cooldown=500,
    learning_rate=3e-3,
    weight_decay=1e-4,
    dropout=0.0,
    patience=1000,
    validation_share=0.08,
    augmentation=Augmentation(
        turn_far=0.05,
        scale=0.09,
        frame_far=0.04,
        stretch=0.03,
        gamma=0.2,
        shade=0.15,
        low_resolution=0.1,
        compress=0.1,
        repairs=10,
    ),
    complete_only=True,
    minutes=2.5,
)

# The runtime searches photos rotated by quarters: a face is within 45° of upright in one of them.
_FACE = DetectorRecipe(
    name="face",
    canvases=3_000_000,
    batch_size=128,
    learning_rate=3e-3,
    hold=0.25,
    max_roll_deg=55.0,
    photos=(("permissive", "permissive"), ("facemask", "facemask")),
    without_faces=(("no_face", "permissive/no_face"),),
    measured=("facemask",),
    masked=("facemask",),
    single_shares=(("one", 0.38), ("several", 0.17), ("masked", 0.45)),
    mosaic_shares=(("one", 0.45), ("several", 0.15), ("masked", 0.4)),
)

QUICK = _QUICK.name
RECIPES = {recipe.name: recipe for recipe in (_REFERENCE, _QUICK, _RESEARCH)}
FACE_RECIPES = {_FACE.name: _FACE}
JOINT_RECIPES = {
    recipe.name: recipe
    for recipe in (
        JointRecipe("keypoints"),
        JointRecipe("keypoints-small", shape="small"),
        JointRecipe("keypoints-teacher", shape="teacher", samples=3_000_000),
    )
}
