"""Where the published checkpoints lie: inside the installed package, or in the source tree."""

import difflib
from pathlib import Path

from keras_videolstm.errors import InputError

METADATA = "metadata.json"


def zoo_folder() -> Path:
    """Return the folder of the zoo, one sub-folder a checkpoint.

    Example:
        >>> (zoo_folder() / "composite_youtube" / "config.json").exists()
        True
    """
    package = Path(__file__).parent
    installed = package / "zoo"
    return installed if installed.is_dir() else package.parent / "zoo"


def list_checkpoints() -> tuple[str, ...]:
    """Return the names of the zoo.

    Example:
        >>> list_checkpoints()
        ('autoencoder_moving_mnist', ..., 'composite_youtube', ..., 'efficientnet_lite0', ...)
    """
    return tuple(sorted(path.parent.name for path in zoo_folder().glob(f"*/{METADATA}")))


def find_checkpoint(name: str) -> Path:
    """Return the folder of a checkpoint: a zoo entry of that name, or the folder of that path.

    Raises:
        InputError: if there is neither; it lists the names.

    Example:
        >>> find_checkpoint("composite_youtube").name
        'composite_youtube'
    """
    if name in list_checkpoints():
        return zoo_folder() / name
    if (Path(name) / METADATA).is_file():
        return Path(name)
    beside = Path(name).parent.glob(f"*/{METADATA}")
    known = [*list_checkpoints(), *(str(path.parent) for path in beside)]
    near = difflib.get_close_matches(name, known, n=1)
    raise InputError(
        f"Expected a checkpoint: one of {', '.join(list_checkpoints())}, a folder with "
        f"{METADATA}, a .keras file, or a URL with its sha256. Received: {name!r}"
        + (f"; is {near[0]!r} meant?" if near else "")
    )
