from examples.photo_booth import pictures
from tests.examples.filming import film
from tests.made_shots import blurred, closed


def test_the_best_frame_of_a_moment_is_taken(smiling, smiling_face, nobody):
    soft, asleep = (make(smiling, smiling_face) for make in (blurred, closed))
    parts = [(nobody, 1), (soft, 0.5), (smiling, 0.2), (soft, 0.5), (nobody, 2.5), (asleep, 2)]
    [shot] = pictures(film(parts))
    assert 1.5 <= shot.time < 1.7
    assert (shot.image == smiling).all()


def test_who_keeps_smiling_is_photographed_again(smiling):
    times = [shot.time for shot in pictures(film([(smiling, 9)], rate=5))]
    assert len(times) == 2
    assert times[0] <= 2.0
    assert times[1] - times[0] >= 3.0
