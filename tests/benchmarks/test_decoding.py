import collections

import numpy as np
from PIL import Image

from benchmarks import decoding
from benchmarks.datasets.mutated_files import damage, encode_samples
from benchmarks.datasets.sample import SAMPLE


def samples():
    return encode_samples(Image.open(SAMPLE).convert("RGB"))


def test_two_thousand_damaged_files_give_an_image_or_an_image_error():
    outcomes = decoding.decode_files(range(2000))
    assert {outcome for _, outcome in outcomes} == {"decoded", "ImageError"}
    by_format = collections.Counter()
    for (form, _), number in outcomes.items():
        by_format[form] += number
    assert set(by_format) == set(samples())
    assert sum(by_format.values()) == 2000


def test_files_are_the_same_for_the_same_seed_and_differ_from_the_sample():
    data = samples()
    first = [decoding.damaged_file(data, 3, number) for number in range(50)]
    assert first == [decoding.damaged_file(data, 3, number) for number in range(50)]
    assert first != [decoding.damaged_file(data, 4, number) for number in range(50)]
    assert sum(damaged == data[form] for form, damaged in first) < 5


def test_an_empty_file_stays_empty():
    for seed in range(30):
        assert damage(b"", np.random.default_rng(seed)) == b""


def test_other_errors_are_failures(monkeypatch):
    def fail(data):
        raise RuntimeError("from a decoder")

    monkeypatch.setattr(decoding, "load_grey", fail)
    assert decoding.decode(b"") == "RuntimeError"
    results = {"formats": {"AVIF": {"decoded": 2, "RuntimeError": 1}, "PNG": {"ImageError": 3}}}
    assert decoding.failures(results) == ["AVIF: RuntimeError from 1 files"]
    assert decoding.table(results).splitlines()[-2:] == [
        "| AVIF | 3 | 2 | 0 | RuntimeError 1 |",
        "| PNG | 3 | 0 | 3 | none |",
    ]
