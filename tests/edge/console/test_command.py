import pytest

import edge
from edge.console.command import main


@pytest.mark.usefixtures("folder_of_sample")
def test_a_first_argument_that_is_no_command_is_a_source(capsys):
    assert main(["photo.jpg", "--no-picture"]) == 0
    assert capsys.readouterr().out.startswith("photo.jpg: face 0 at x ")


@pytest.mark.usefixtures("folder_of_sample")
def test_options_without_a_command_are_those_of_run(capsys):
    assert main(["--no-picture", "photo.jpg"]) == 0
    assert "face 0" in capsys.readouterr().out


@pytest.mark.usefixtures("folder_of_sample")
def test_run_named_is_the_same(capsys):
    arguments = ["photo.jpg", "--no-picture"]
    assert main(arguments) == main(["run", *arguments]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_info_prints_the_facts_of_a_bug_report(capsys):
    assert main(["info", "--precision", "fp32"]) == 0
    assert capsys.readouterr().out.startswith(f"edge:                      {edge.__version__}\n")


@pytest.mark.parametrize("name", ["run", "serve", "bulk", "info", "completion"])
def test_help_and_examples_call_a_command_by_its_name(name, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: edge-keypoints {name} ")
    assert "python -m" not in text


def test_usage_errors_call_the_command_by_its_name(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["bulk"])
    assert stopped.value.code == 2
    assert "edge-keypoints bulk: error: the following arguments" in capsys.readouterr().err


def test_help_lists_all_commands(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: edge-keypoints ")
    for line in ("run images", "serve a page", "bulk archives", "info versions"):
        assert line in " ".join(text.split())


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"edge {edge.__version__}\n"


def test_without_arguments_it_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 2
    assert "expected a command or a SOURCE" in capsys.readouterr().err


def test_help_imports_neither_numpy_nor_the_networks(run_python):
    code = (
        "import sys; from edge.console.command import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'numpy', 'onnxruntime', 'PIL', 'shtab'} & set(sys.modules)))"
    )
    assert run_python("-c", code).stdout.decode().splitlines()[-1] == "[]"
