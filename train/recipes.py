"""Every setting of a training run, as frozen values with defaults that work."""

from __future__ import annotations

from dataclasses import dataclass, field

from train.data.augmentation import Augmentation
from train.data.sources import Source


@dataclass(frozen=True, slots=True)
class Recipe:
    """The settings of a training run.

    Attributes:
        name: what the run is called.
        network: the name of a network in `train.keypoints.network`.
        optimizer: `rmsprop`, or `adamw` with decoupled weight decay.
        loss: `mse` or `distance`, see `train.keypoints.losses`.
        epochs: passes over the training rows, at most.
        cooldown: epochs at the end over which the learning rate falls to a hundredth, along a half
            cosine; before them it is constant, so that a longer run goes on from a shorter one.
        batch_size: faces per optimiser step.
        learning_rate: the highest; it rises over the first 2 % of an epoch-counted run.
        weight_decay: of `adamw`.
        dropout: share of the features dropped before the prediction layer, 0–1.
        patience: epochs without a better validation RMSE before training stops.
        validation_share: share of the rows held out, 0–1.
        seed: of the split, the initial weights, dropout, the order and every random change.
        augmentation: how far the random changes of a face go.
        sources: the sets that `train.prepare --recipe` reads.
        shares: by set, how much of an epoch is drawn from it, relative to the others; a set without
            a share has 1. Empty: every row once an epoch.
        calibrate_on: the sets whose held-out faces scale the error radius, those with the truest
            labels; all where none of these is there.
    """

    name: str
    network: str = "reference"
    optimizer: str = "rmsprop"
    loss: str = "mse"
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


@dataclass(frozen=True, slots=True)
class FaceRecipe:
    """The settings of a training run of the face detector.

    Attributes:
        name: what the run is called.
        epochs: how often `steps_per_epoch` steps are made; each canvas is seen once.
        steps_per_epoch: optimiser steps after which the run is saved.
        cooldown: as in `Recipe`.
        batch_size: canvases per optimiser step.
        learning_rate: the highest; it rises over the first 2 % of the run.
        weight_decay: of AdamW.
        seed: of the initial weights and of every canvas.
        photos: the sets of whole photos that `train.prepare --recipe` reads, name and folder.
        cut_faces: the sets of pictures that hold little more than one face.
        measured: the sets of which every fifth photo is left for measuring.
        by_hand: the sets whose boxes people drew or checked.
        shares: by set of whole photos, how much is drawn from it, relative to the others.
    """

    name: str
    epochs: int = 140
    steps_per_epoch: int = 200
    cooldown: int = 50
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4
    seed: int = 0
    photos: tuple[tuple[str, str], ...] = ()
    cut_faces: tuple[tuple[str, str], ...] = ()
    measured: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    shares: tuple[tuple[str, float], ...] = ()


_REFERENCE = Recipe(name="reference")

# The people of ytf and lfw are named before the number: "Abdel_Aziz_Al-Hakim_00.jpg".
_NAME = r"([^/]+?)_?\d+\.\w+$"

_SHIPPED = Recipe(
    name="shipped",
    network="compact",
    optimizer="adamw",
    loss="distance",
    epochs=90,
    cooldown=40,
    learning_rate=1.5e-3,
    weight_decay=1e-4,
    dropout=0.0,
    patience=1000,  # the falling rate decides the last epochs; stopping early would skip it
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
        Source("ytf", "ytf", "blend", convert=True, annotators="converted", person=_NAME),
        Source("lfw", "lfw", "blend", convert=True, annotators="converted", person=_NAME),
        Source("aflw", "aflw", "teacher", convert=True, annotators="converted"),
    ),
    shares=(
        ("kaggle", 0.28),
        ("kaggle-test", 0.15),
        ("lfpw", 0.16),
        ("ytf", 0.12),
        ("lfw", 0.14),
        ("aflw", 0.15),
    ),
    calibrate_on=("lfpw",),  # labelled by hand, and no pixel of it was repaired
)

_FACE = FaceRecipe(
    name="face",
    photos=(("lfpw", "lfpw"), ("ytf", "ytf"), ("facemask", "facemask")),
    cut_faces=(
        ("lfw", "lfw"),
        ("aflw", "aflw"),
        ("kaggle", "kaggle/training.zip"),
        ("kaggle-test", "kaggle/test_teacher.csv"),
    ),
    measured=("facemask",),
    by_hand=("lfpw", "facemask"),
    shares=(("lfpw", 0.3), ("ytf", 0.15), ("facemask", 0.55)),
)

RECIPES = {recipe.name: recipe for recipe in (_REFERENCE, _SHIPPED)}
FACE_RECIPES = {_FACE.name: _FACE}
