"""Of this project: its program that fills and exports logs, and where back ends are installed."""

import json
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parents[1]
ROOT = HERE.parents[2]
PROGRAM = "otlp_replay"


def target():
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--manifest-path", ROOT / "Cargo.toml"]
    return pathlib.Path(json.loads(subprocess.check_output(command))["target_directory"])


def build():
    """The path of the program."""
    subprocess.run(["cargo", "build", "--quiet", "--manifest-path", ROOT / "Cargo.toml", "--example", PROGRAM], check=True)
    return target() / "debug" / "examples" / PROGRAM


def environment(name, folder=None):
    """A virtual environment with what `requirements/<name>.txt` lists; installed where that list is another than the one
    that is installed. Under target/, or in a folder that is given."""
    wanted = HERE / "requirements" / f"{name}.txt"
    venv = pathlib.Path(folder or target() / "real-otlp") / name
    marker = venv / "installed"
    if not marker.exists() or marker.read_bytes() != wanted.read_bytes():
        print(f"installing {name} into {venv}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", wanted]
        again(pip)
        marker.write_bytes(wanted.read_bytes())
    return venv


def again(command):
    """Runs it; a registry that does not answer once is asked again."""
    for pause in (5, 20, 60):
        if subprocess.run(command, check=False).returncode == 0:
            return
        time.sleep(pause)
    subprocess.run(command, check=True)


def fill(program, log, count):
    """Fills a log; trace ids by the names of runs."""
    return record(program, log, "fill", str(count))


def record(program, log, *what):
    command = [program, what[0], log, *what[1:]]
    said = subprocess.check_output(command, text=True, cwd=log.parent)
    return dict(line.rsplit(" ", 1) for line in said.splitlines())


def draw(program, log, file):
    """Writes a log as a trace for Perfetto; what was written."""
    return json.loads(subprocess.check_output([program, "draw", log, file], text=True, cwd=log.parent))


def export(program, log, variables, dialect="default", seconds=600):
    """Delivers a log; what the exporter counted."""
    inherited = {key: text for key, text in os.environ.items() if not key.startswith("OTEL_")}
    said = subprocess.run(
        [program, "export", log, str(seconds), dialect], env=inherited | {"RUST_BACKTRACE": "0"} | variables, text=True, cwd=log.parent, stdout=subprocess.PIPE,
        timeout=seconds + 60, check=False,
    )
    if said.returncode != 0:
        raise RuntimeError(f"the export failed: {said.stdout}")
    return json.loads(said.stdout)
