"""``codeassist serve``, as far as it goes without serving; tests/browser runs it for real."""

from __future__ import annotations

import socket
from pathlib import Path

from typer.testing import CliRunner

from api.commands import app


def test_help_has_the_options_and_an_example() -> None:
    result = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"})
    assert result.exit_code == 0
    assert "--port" in result.output and "codeassist serve --port 8080" in result.output


def test_a_port_in_use_ends_with_1_and_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(app, ["--port", str(taken.getsockname()[1])])
    assert result.exit_code == 1
    assert "in use" in result.output.lower() and "--port" in result.output


def test_a_port_that_is_none_is_wrong_use() -> None:
    assert CliRunner().invoke(app, ["--port", "70000"]).exit_code == 2


def test_a_database_that_can_not_be_used_ends_with_1_and_says_so() -> None:
    result = CliRunner().invoke(app, ["--port", "0"], env={"CODEASSIST_DATABASE_URL": "mysql://u@h/d"})
    assert result.exit_code == 1
    assert "sqlite:///FILE" in result.output


def test_an_mllp_port_in_use_ends_with_1_and_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = CliRunner().invoke(app, ["--port", "0", "--mllp", str(taken.getsockname()[1])])
    assert result.exit_code == 1
    assert "in use" in result.output.lower()


def test_a_key_of_a_launch_that_can_not_be_read_ends_with_2_and_says_so(tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text('[smart_ehrs."https://ehr.example"]\nclient_id = "c"\nprivate_key = "/nowhere/key.json"\n')
    result = CliRunner().invoke(app, ["--port", "0"], env={"CODEASSIST_CONFIG": str(config)})
    assert result.exit_code == 2
    assert "/nowhere/key.json" in result.output
