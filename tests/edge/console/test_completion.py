import shutil
import subprocess
import sys

import pytest

from edge.console import completion
from edge.console.completion import SHELLS, generate_script, main


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    pytest.importorskip("shtab")
    folder = tmp_path_factory.mktemp("scripts")
    for shell in SHELLS:
        (folder / shell).write_text(generate_script(shell), "utf-8")
    return folder


@pytest.fixture
def run_shell(tmp_path):
    def call(shell, *arguments):
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        done = subprocess.run(
            [shell, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


COMPLETED = [
    (("",), "run serve bulk info completion"),
    (("ser",), "serve"),
    (("run", "--blur-m"), "--blur-min-score"),
    (("run", "--blur", ""), "face eyes"),
    (("bulk", "--engine", ""), "ray local"),
    (("completion", ""), "bash zsh fish"),
    (("run", "--json", "fac"), "faces.jsonl"),
    (("bulk", "-o", "arch"), "archive"),
    (("run", "fac"), "faces.jsonl"),
]


@pytest.mark.parametrize(("words", "expected"), COMPLETED)
def test_bash_completes(scripts, run_shell, tmp_path, words, expected):
    (tmp_path / "faces.jsonl").touch()
    (tmp_path / "archive").mkdir()
    code = (
        f'source {scripts}/bash; COMP_WORDS=(edge-keypoints "$@"); COMP_CWORD=$#; '
        '_shtab_edge_keypoints; echo "${COMPREPLY[*]}"'
    )
    assert run_shell("bash", "-c", code, "bash", *words).strip() == expected


@pytest.mark.parametrize(("words", "expected"), COMPLETED)
def test_fish_completes(scripts, run_shell, tmp_path, words, expected):
    (tmp_path / "faces.jsonl").touch()
    (tmp_path / "archive").mkdir()
    line = " ".join(["edge-keypoints", *words])
    out = run_shell("fish", "--no-config", "-c", f"source {scripts}/fish; complete -C '{line}'")
    names = {row.partition("\t")[0].rstrip("/") for row in out.splitlines()}
    assert names == set(expected.split())


def test_zsh_finds_the_script_in_its_path(scripts, run_shell, tmp_path):
    shutil.copy(scripts / "zsh", tmp_path / "_edge-keypoints")
    code = (
        f"fpath=({tmp_path} $fpath); autoload -U compinit; compinit -u -D; "
        "echo $_comps[edge-keypoints]; autoload +X _edge-keypoints && echo read"
    )
    assert run_shell("zsh", "-f", "-c", code).split() == ["_edge-keypoints", "read"]


def test_the_script_of_the_wheel_is_printed(tmp_path, monkeypatch, capsys):
    (tmp_path / "fish").write_text("complete -c edge-keypoints\n")
    monkeypatch.setattr(completion, "FOLDER", tmp_path)
    assert main(["fish"]) == 0
    assert capsys.readouterr().out == "complete -c edge-keypoints\n"


def test_a_source_tree_has_no_scripts_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(completion, "FOLDER", tmp_path)
    assert main(["bash"]) == 1
    assert "generated when the wheel is built" in capsys.readouterr().err


def test_another_shell_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["csh"])
    assert stopped.value.code == 2
    assert "invalid choice: 'csh'" in capsys.readouterr().err


def test_without_shtab_the_extra_is_named(monkeypatch):
    from edge.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(MissingExtra, match=r"edge-keypoints\[dev\]"):
        generate_script("bash")
