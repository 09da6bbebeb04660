"""Where the published checkpoints lie: inside the installed package, or in the source tree."""

from pathlib import Path


def zoo_folder() -> Path:
    """Return the folder of the zoo, one sub-folder a checkpoint.

    Example:
        >>> (zoo_folder() / "composite_youtube" / "config.json").exists()
        True
    """
    package = Path(__file__).parent
    installed = package / "zoo"
    return installed if installed.is_dir() else package.parent / "zoo"
