from dataclasses import replace

import numpy as np
from PIL import Image

from edge.analysis.assessment import Assessment
from edge.analysis.quality import Quality
from edge.image import load_image
from edge.run.best_shots import BestShots
from edge.run.command import main
from edge.run.output_paths import AlignedPaths


def judged(value):
    return [Assessment(Quality(value, {}))]


def test_the_best_frame_of_each_track_is_kept(sample, detect, tmp_path):
    image = load_image(sample)
    (face,) = detect(image)
    shots = BestShots(AlignedPaths(tmp_path / "best", ["film.mp4", "next.mp4"]), 32)
    for track in (3, 5):
        for grey, value in ((50, 0.4), (100 + track, 0.8), (200, 0.7)):
            picture = np.full_like(image, grey)
            shots.add(picture, [replace(face, track_id=track)], judged(value))
    shots.save("film.mp4")
    shots.save("next.mp4")  # nothing is left of the first
    found = {path.name: np.asarray(Image.open(path)) for path in (tmp_path / "best").iterdir()}
    assert sorted(found) == ["film.face-3.png", "film.face-5.png"]
    assert found["film.face-3.png"].shape == (32, 32, 3)
    assert [int(found[f"film.face-{t}.png"].mean()) for t in (3, 5)] == [103, 105]


def test_of_a_still_image_the_best_face_is_kept(sample, detect, tmp_path):
    image = load_image(sample)
    (face,) = detect(image)
    shots = BestShots(AlignedPaths(tmp_path, ["photo.jpg"]), 32)
    other = replace(face, keypoints=face.keypoints + 20)
    shots.add(image, [face, other], [*judged(0.9), *judged(0.2)])
    shots.save("photo.jpg")
    from edge.alignment import align

    (path,) = tmp_path.iterdir()
    assert path.name == "photo.face-0.png"
    np.testing.assert_array_equal(np.asarray(Image.open(path)), align(image, face, 32))


def test_the_command_writes_them(sample, film, tmp_path, capsys):
    folder, table = tmp_path / "best", tmp_path / "faces.csv"
    args = [str(sample), str(film), "--no-picture", "--best", str(folder), "--csv", str(table)]
    assert main([*args, "--precision", "fp32"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == [
        "astronaut.face-0.png", "film.face-0.png"
    ]  # fmt: skip
    header, still, *frames = table.read_text("utf-8").splitlines()
    column = header.split(",").index("quality")
    assert 0.5 < float(still.split(",")[column]) < 1
    assert len(frames) == 20
