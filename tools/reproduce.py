"""`videolstm-tools reproduce`."""

import click

from keras_videolstm_tools.reproduce_actions import fig7_command, table1_command, table3_command
from keras_videolstm_tools.reproduce_controls import digits_command, order_command
from keras_videolstm_tools.reproduce_figures import FIGURES
from keras_videolstm_tools.reproduce_table2 import table2_command
from keras_videolstm_tools.reproduce_table2_patches import table2_patches_command


@click.group(name="reproduce")
def command() -> None:
    """Draw the paper's figures and make its tables again.

    \b
    Example:
      videolstm-tools reproduce fig4 composite_moving_mnist --mnist mnist.npz --out figures
    """


_TABLES = (table1_command, table2_command, table2_patches_command, table3_command, fig7_command)
_CONTROLS = (order_command, digits_command)
for subcommand in (*FIGURES, *_TABLES, *_CONTROLS):
    command.add_command(subcommand)
