import pytest

from edge.bulk.options import parse_args


def test_defaults():
    args = parse_args(["in", "more", "-o", "out"])
    assert vars(args) == {
        "sources": ["in", "more"], "output": "out", "resume": False, "column": None,
        "shard": (1, 1), "partition": 256, "engine": None, "address": None, "workers": None,
        "model": None, "detector": "face", "precision": "fp32", "threads": 1, "min_score": 0.5,
        "max_faces": None, "detect_size": 320, "points68": False, "upright_only": False,
        "analyze": False,
        "quality": False,
        "visible": False,
        "expressions": False,
    }  # fmt: skip


def test_a_shard_is_a_number_and_a_count():
    assert parse_args(["in", "-o", "out", "--shard", "3/16"]).shard == (3, 16)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--shard", "4/3"], "expected I/N with I from 1 to N, received '4/3'"),
        (["--shard", "0/3"], "expected I/N with I from 1 to N, received '0/3'"),
        (["--shard", "third"], "expected I/N with I from 1 to N, received 'third'"),
        (["--partition", "0"], "expected an integer of at least 1, received '0'"),
        (["--workers", "-1"], "expected an integer of at least 1, received '-1'"),
        (["--engine", "local", "--address", "auto"], "--engine local does not use a cluster"),
        (["--precision", "auto"], "invalid choice: 'auto'"),
    ],
)
def test_usage_errors_exit_with_2(capsys, arguments, message):
    with pytest.raises(SystemExit) as exit_info:
        parse_args(["in", "-o", "out", *arguments])
    assert exit_info.value.code == 2
    assert message in capsys.readouterr().err


def test_help_imports_nothing_heavy(run_python):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['pyarrow', 'fsspec', 'ray', 'numpy'])); "
        "from edge.bulk.command import main; main(['--help'])"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    assert b"python -m edge.bulk archive/ -o faces/" in done.stdout
