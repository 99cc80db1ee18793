import math

import pytest

from edge.run.options import parse_args


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: SOURCE"),
        (["a.jpg", "--json", "-", "--csv", "-"], "only one of --json, --csv and --output can"),
        (["a.jpg", "--json", "-", "-o", "-"], "only one of --json, --csv and --output can"),
        (["a.jpg", "--no-picture", "-o", "b.jpg"], "--output and --no-picture exclude each other"),
        (["a.jpg", "--no-picture", "--blur", "face"], "--blur and --no-picture exclude each other"),
        (["a.jpg", "--precision", "x"], "argument --precision: invalid choice: 'x'"),
        (["a.jpg", "--resume"], "--resume needs a file in --json or --csv"),
        (["a.jpg", "--resume", "--json", "-"], "--resume needs a file in --json or --csv"),
        (
            ["a.jpg", "--resume", "--json", "a.jsonl", "--coco", "a.json"],
            "--resume does not go with --coco, --cvat, --label-studio and --labelme",
        ),
        (["a.mp4", "--events", "-", "--csv", "-"], "only one of --json, --csv, --events and"),
        (["a.mp4", "--events", "e", "--resume", "--csv", "c"], "--resume and --events exclude"),
        (["a.jpg", "--every", "0"], "--every must be at least 1, received 0"),
        (["a.jpg", "--focal", "0"], "--focal must be above 0 and finite, received 0.0"),
        (["a.jpg", "--focal", "nan"], "--focal must be above 0 and finite, received nan"),
        (["a.jpg", "--start", "-1"], "--start must be at least 0 and finite, received -1.0"),
        (["a.jpg", "--start", "nan"], "--start must be at least 0 and finite, received nan"),
        (["a.jpg", "--start", "inf"], "--start must be at least 0 and finite, received inf"),
        (["a.jpg", "--start", "5", "--stop", "5"], "--stop must be greater than --start"),
        (["a.jpg", "--stop", "nan"], "--stop must be greater than --start, received nan"),
        (["a.jpg", "--align-size", "0"], "--align-size must be from 1 to 4096, received 0"),
        (["a.jpg", "--align-size", "10000000"], "--align-size must be from 1 to 4096"),
        (["a.jpg", "--blur", "nose"], "argument --blur: invalid choice: 'nose'"),
    ],
)
def test_a_usage_error_is_status_2_and_says_what_is_expected(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        parse_args(arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_limits_themselves_are_allowed():
    args = parse_args(
        ["a.mp4", "--every", "1", "--start", "0", "--stop", "inf", "--align-size", "4096"]
    )
    assert (args.every, args.start, args.stop, args.align_size) == (1, 0.0, math.inf, 4096)


def test_events_imply_the_analysis_and_that_the_68_points():
    args = parse_args(["a.mp4", "--events", "e.jsonl"])
    assert (args.analyze, args.points68) == (True, True)
    args = parse_args(["a.jpg", "--analyze"])
    assert (args.events, args.points68) == (None, True)
    assert not parse_args(["a.jpg"]).points68


def test_info_needs_no_source():
    assert parse_args(["--info"]).sources == []
