import pytest

from edge.serve.options import parse_args


def test_by_default_it_listens_on_this_computer_without_a_token_or_a_stream():
    args = parse_args([])
    assert (args.host, args.port, args.token) == ("127.0.0.1", 8000, None)
    assert (args.camera, args.video) == (None, None)
    assert (args.max_pixels, args.max_queue, args.workers) == (50_000_000, 64, None)
    assert (args.detector, args.precision, args.min_score) == ("face", "auto", 0.5)


def test_all_options_are_parsed():
    args = parse_args(
        [
            "--host=::",
            "--port=0",
            "--token=t",
            "--camera=1",
            "--max-pixels=9",
            "--max-queue=2",
            "--workers=3",
        ]
    )
    assert (args.host, args.port, args.token, args.camera) == ("::", 0, "t", 1)
    assert (args.max_pixels, args.max_queue, args.workers) == (9, 2, 3)


def test_a_broker_is_told_what_is_watched():
    assert parse_args(["--camera", "0"]).watch is False
    args = parse_args(["--camera", "0", "--mqtt", "pi:1883", "--mqtt-name", "Front door"])
    assert (args.watch, args.mqtt, args.mqtt_name) == (True, "pi:1883", "Front door")


@pytest.mark.parametrize(
    ("camera", "source"), [("0", 0), ("12", 12), ("pi", "camera:pi"), ("pi1", "camera:pi1")]
)
def test_a_camera_is_a_number_or_a_raspberry_pis(camera, source):
    assert parse_args(["--camera", camera]).camera == source


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--port x", "invalid int value: 'x'"),
        ("--port 70000", "--port must be between 0 and 65535"),
        ("--port -1", "--port must be between 0 and 65535"),
        ("--camera x", "expected a number or pi, found 'x'"),
        ("--camera 0 --video f", "not allowed with argument --camera"),
        ("--max-queue 0", "must be at least 1"),
        ("--max-pixels 0", "must be at least 1"),
        ("--workers 0", "--workers must be at least 1"),
        ("--watch", "--watch and --mqtt need --camera or --video"),
        ("--mqtt pi", "--watch and --mqtt need --camera or --video"),
    ],
)
def test_values_out_of_range_are_usage_errors(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit_:
        parse_args(arguments.split())
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_help_imports_no_optional_or_heavy_package(run_python):
    code = (
        "import sys; sys.modules.update(dict.fromkeys("
        "['fastapi', 'starlette', 'uvicorn', 'numpy', 'onnxruntime'])); "
        "import edge.serve.command; edge.serve.command.main(['--help'])"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    assert b"--camera N" in done.stdout
