"""What the commands do: imported when they run, so that `--help` need not wait for TensorFlow."""

import sys

import click

if sys.stderr.isatty() and "tensorflow" not in sys.modules:
    click.echo("Starting TensorFlow, which takes some seconds", err=True)
