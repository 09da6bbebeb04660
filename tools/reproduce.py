"""`videolstm-tools reproduce`."""

import click

from keras_videolstm_tools.reproduce_actions import (
    fig7_command,
    order_command,
    table1_command,
    table3_command,
)
from keras_videolstm_tools.reproduce_figures import FIGURES
from keras_videolstm_tools.reproduce_table2 import table2_command


@click.group(name="reproduce")
def command() -> None:
    """Draw the paper's figures and make its tables again.

    \b
    Example:
      videolstm-tools reproduce fig4 composite_moving_mnist --mnist mnist.npz --out figures
    """


for figure in FIGURES:
    command.add_command(figure)
for table in (table1_command, table2_command, table3_command, fig7_command, order_command):
    command.add_command(table)
