"""Test videos whose labels the convnet of their percepts has learned."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from keras_videolstm.data.percept_store import PerceptStore
from keras_videolstm.errors import InputError
from keras_videolstm.percepts import known_extractor
from keras_videolstm.training.video_probabilities import folder_and_file
from keras_videolstm_tools.work.split_file import LEARNED_FROM, parts_by_name


def labels_learned(
    store: PerceptStore, videos: Sequence[int] | NDArray[Any]
) -> tuple[list[str], str]:
    """Return the test videos that a store's temporal stream has learned by name, and a sentence.

    The `split.csv` beside the convnet tells: those that it validated on chose its weights, and
    count, too. Percepts of other convnets need no labels of videos: nothing is said.

    Example:
        >>> labels_learned(PerceptStore("flow_percepts.h5"), split.test)[0]
        ['Punch/v_Punch_g16_c01.avi']
    """
    name = str(store.metadata.get("extractor"))
    try:
        folder = getattr(known_extractor(name), "folder", None)
    except InputError:
        return [], ""
    found = parts_by_name(folder) if folder else {}
    parts = {"/".join(clip): part for clip, part in found.items()}
    named = {video: folder_and_file(store.names[video]) for video in videos}
    learned = [video for video in videos if parts.get(named[video]) in LEARNED_FROM]
    if not learned:
        return [], ""
    names = sorted({named[video] for video in learned})
    return names, (
        f"Of {store.count_clips(videos)} test clips, {store.count_clips(learned)} are among those "
        f"whose labels the convnet of {name} has learned, or was chosen by, such as {names[0]}: "
        "this is no test. `temporal-stream --test-groups` leaves groups out."
    )
