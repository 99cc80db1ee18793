"""What tests of the command share: its usual options, and a reader of its results."""

import json

FP32 = ("--precision", "fp32")  # the precision whose results are the same on every computer
CROP = ("--detector", "none", *FP32)  # the whole image is one face


def read_records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]
