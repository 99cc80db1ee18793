import pytest

keras = pytest.importorskip("keras")

from train.learning_rate import WarmupStableDecay, make_schedule  # noqa: E402
from train.recipes import Recipe  # noqa: E402


def test_the_rate_warms_up_is_constant_and_decays_to_a_hundredth():
    rate = WarmupStableDecay(2.0, warm=4, cool_from=10, end=20)
    values = [float(rate(step)) for step in (0, 1, 3, 9, 10, 15, 20, 30)]
    assert values == pytest.approx([0.5, 1.0, 2.0, 2.0, 2.0, 1.01, 0.02, 0.02], abs=1e-5)


def test_a_longer_run_has_the_rates_of_a_shorter_one_before_its_decay():
    short, long = (make_schedule(Recipe("r", epochs=n, cooldown=10), 2000) for n in (60, 90))
    for step in (0, 500, 50_000, 99_000):
        assert float(short(step)) == pytest.approx(float(long(step)))


def test_a_saved_schedule_keeps_its_registered_name_and_values():
    schedule = WarmupStableDecay(2.0, warm=4, cool_from=10, end=20)
    saved = keras.saving.serialize_keras_object(schedule)
    assert saved["registered_name"] == "train>WarmHoldCool"
    assert saved["config"] == {"rate": 2.0, "warm": 4, "cool_from": 10, "end": 20}
    loaded = keras.saving.deserialize_keras_object(saved)
    assert float(loaded(15)) == pytest.approx(1.01)
