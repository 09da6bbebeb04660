from collections import Counter

import pytest

from keras_videolstm.data import official_splits
from keras_videolstm.data.official_splits import official_parts
from keras_videolstm.errors import InputError

HMDB51 = [f"{name}.avi" for name in official_splits._hmdb51()]


@pytest.mark.parametrize("split", [1, 2, 3])
def test_hmdb51_has_seventy_to_train_and_thirty_to_test_a_class(split: int) -> None:
    parts = official_parts("hmdb51", [f"videos/{name}" for name in HMDB51], split)
    counts = Counter(
        (name.split("/")[0], part) for name, part in zip(HMDB51, parts, strict=True) if part
    )
    assert len(HMDB51) == 6766
    assert len(counts) == 2 * 51
    assert all(count == {"train": 70, "test": 30}[part] for (_, part), count in counts.items())


def test_a_video_of_hmdb51_is_where_the_list_has_it() -> None:
    # From brush_hair_test_split1.txt to 3.
    name = "brush_hair/April_09_brush_hair_u_nm_np1_ba_goo_0.mp4"
    assert [official_parts("hmdb51", [name], n)[0] for n in (1, 2, 3)] == ["train", "train", "test"]


@pytest.mark.parametrize(("split", "tested"), [(1, (1, 7)), (2, (8, 14)), (3, (15, 21))])
def test_ucf101_tests_on_seven_groups(split: int, tested: tuple[int, int]) -> None:
    videos = [f"Archery/v_Archery_g{group:02d}_c01.avi" for group in range(1, 26)]
    parts = official_parts("ucf101", videos, split)
    of_test = [group for group, part in enumerate(parts, start=1) if part == "test"]
    assert of_test == list(range(tested[0], tested[1] + 1))
    assert Counter(parts) == {"train": 18, "test": 7}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("kinetics", [], 1), "one of"),
        (("ucf101", [], 4), "a split of"),
        (("ucf101", ["Archery/clip.avi"], 1), "a video of UCF-101"),
        (("hmdb51", ["brush_hair/clip.avi"], 1), "a video of HMDB-51"),
    ],
)
def test_what_is_not_of_the_data_set_is_refused(arguments: tuple, told: str) -> None:
    with pytest.raises(InputError, match=told):
        official_parts(*arguments)
