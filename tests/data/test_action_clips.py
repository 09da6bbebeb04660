"""Tests of listing labelled clips from folders and tables."""

from pathlib import Path

import pytest

from keras_videolstm.data.action_clips import (
    Clip,
    class_names,
    expand_groups,
    find_clips,
    is_its_own_source,
    views_of,
)
from keras_videolstm.errors import InputError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def table(folder: Path, text: str | bytes) -> Path:
    path = folder / "clips.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_folder_of_class_folders_gives_labels_and_groups_in_a_stable_order(tmp_path):
    touch(
        tmp_path / "walk" / "v_Walk_g08_c02.avi",
        tmp_path / "run" / "figure03_clip1.mp4",
        tmp_path / "run" / "deeper" / "mine.MOV",
        tmp_path / "run" / "notes.txt",
        tmp_path / "loose.webm",
    )
    (tmp_path / "run" / "folder.mp4").mkdir()
    found = [(c.path.name, c.label, c.group) for c in find_clips(tmp_path)]
    assert found == [
        ("loose.webm", "", "loose"),
        ("mine.MOV", "run", "deeper/mine"),
        ("figure03_clip1.mp4", "run", "figure03"),
        ("v_Walk_g08_c02.avi", "walk", "g08"),
    ]
    assert class_names(find_clips(tmp_path)) == ("run", "walk")


def test_hmdb51_names_its_sources_before_class_and_description(tmp_path):
    names = {
        "clap/#20_Rhythm_clap_u_nm_np1_fr_goo_0.avi": "#20_Rhythm",
        "brush_hair/April_09_brush_hair_u_nm_np1_ba_goo_0.avi": "April_09",
        "run/metacafe_coolsoccer_run_f_cm_np10_le_bad_2.avi": "metacafe_coolsoccer",
    }
    touch(*(tmp_path / name for name in names))
    found = {f"{clip.label}/{clip.path.name}": clip.group for clip in find_clips(tmp_path)}
    assert found == names


def test_where_no_name_tells_the_source_it_is_the_file(tmp_path):
    groups = {
        "kick/kick_clip1.mp4": "kick_clip1",
        "kick/kitchen_clip1.mp4": "kitchen",
        "walk/s1/cam.mp4": "s1/cam",
        "walk/s2/cam.mp4": "s2/cam",
        "hug/anna.mp4": "anna",
        "run/anna.mp4": "anna",
    }
    touch(*(tmp_path / name for name in groups))
    clips = find_clips(tmp_path)
    assert {c.path.relative_to(tmp_path).as_posix(): c.group for c in clips} == groups
    alone = {name for name, group in groups.items() if is_its_own_source(name, group)}
    assert alone == groups.keys() - {"kick/kitchen_clip1.mp4"}


def test_views_begin_with_the_centre_and_stay_what_they_are():
    clips = [Clip(Path(f"{name}.mp4"), "run", name) for name in "ab"]
    views = views_of(clips, crops=3, flips=True)
    assert [view.path.stem for view in views] == ["a"] * 6 + ["b"] * 6
    assert [view.flip for view in views] == [False, True] * 6
    places = [view.place for view in views[::2]]
    assert places[0] == places[3] == (0.5, 0.5)
    assert len(set(places)) == 5
    assert all(0 <= share <= 1 for place in places for share in place)
    assert [view.place for view in views[1::2]] == places
    assert views_of(clips, crops=2) == [view for i, view in enumerate(views) if i % 6 in (0, 2)]
    assert views_of(clips) == clips
    with pytest.raises(InputError, match="crops=0"):
        views_of(clips, crops=0)


def test_one_file_is_one_unlabelled_clip(tmp_path):
    touch(tmp_path / "a.mp4")
    assert find_clips(tmp_path / "a.mp4") == [Clip(tmp_path / "a.mp4", "", "a")]


def test_a_table_keeps_its_order_and_may_leave_out_groups(tmp_path):
    path = table(tmp_path, "\ufeffgroup,path,label\ns1,b/x.mp4, walk \n,v_A_g02_c01.avi,run\n")
    assert find_clips(path) == [
        Clip(tmp_path / "b/x.mp4", "walk", "s1"),
        Clip(tmp_path / "v_A_g02_c01.avi", "run", "g02"),
    ]


def test_a_root_moves_a_table_s_paths(tmp_path):
    path = table(tmp_path, "path,label\nx.mp4,walk\n")
    (tmp_path / "videos").mkdir()
    assert find_clips(path, tmp_path / "videos")[0].path == tmp_path / "videos" / "x.mp4"


@pytest.mark.parametrize(
    "row", ["../x.mp4", "a/../../x.mp4", "/etc/passwd", "", "a\0.mp4", "way_out/x.mp4", "loop/x"]
)
def test_a_path_that_leaves_the_root_is_refused_with_its_line(row, tmp_path):
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "way_out").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    path = table(folder, f"path,label\ngood.mp4,walk\n{row},walk\n")
    with pytest.raises(InputError, match=r"Expected a path below .* in line 3 of .*--root"):
        find_clips(path)


def test_a_table_s_link_that_leads_out_of_the_root_is_told_what_to_name_instead(tmp_path):
    touch(tmp_path / "a.mp4")
    folder = tmp_path / "videos" / "walk"
    folder.mkdir(parents=True)
    (folder / "a.mp4").symlink_to(tmp_path / "a.mp4")
    path = table(tmp_path / "videos", "path,label\nwalk/a.mp4,walk\n")
    with pytest.raises(InputError, match="leads elsewhere; name the file itself, with --root"):
        find_clips(path)
    assert [clip.label for clip in find_clips(tmp_path / "videos" / "walk" / "..")]
    inside = table(tmp_path / "videos", "path,label\na.mp4,walk\n")
    assert find_clips(inside, tmp_path)[0].path == tmp_path / "a.mp4"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "header naming path, label, group.*none"),
        (b"file,class\na.mp4,walk\n", "columns file, class"),
        (b"a.mp4,walk\nb.mp4,run\n", "header naming"),
        (b"path,label\n", "at least one clip"),
        ("path,label\nä.mp4,x\n".encode("latin-1"), "CSV in UTF-8"),
        ("path,label\na.mp4,x\n".encode("utf-16"), "CSV in UTF-8"),
        (b"path,label\n" + b"y" * 200_000 + b",a\n", "CSV in UTF-8"),
    ],
)
def test_a_bad_table_is_refused_and_named(content, words, tmp_path):
    with pytest.raises(InputError, match=words) as refusal:
        find_clips(table(tmp_path, content))
    assert "clips.csv" in str(refusal.value)


def test_what_holds_no_videos_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        find_clips(tmp_path / "none")
    with pytest.raises(InputError, match=r"Expected video files \(\.avi"):
        find_clips(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="Expected a CSV"):
        find_clips(tmp_path / "folder.csv")


def test_ranges_of_groups_are_expanded():
    assert expand_groups(["g08-g10", "a-b", "s7-s7", "x1-y2"], ()) == (
        *("g08", "g09", "g10"),
        *("a-b", "s7", "x1-y2"),
    )


def test_of_a_range_those_are_taken_that_occur_and_all_where_none_does():
    assert expand_groups(["g08-g12"], ["g07", "g08", "g10", "g12"]) == ("g08", "g10", "g12")
    assert expand_groups(["g8-g12"], ["g07", "g08", "g10", "g8"]) == ("g08", "g8", "g10")
    # So that what is missing can be named.
    assert expand_groups(["g12-g08"], ["g08", "g10"]) == ("g12-g08",)
    assert expand_groups(["g20-g21"], ["g07"]) == ("g20", "g21")


def test_a_name_that_looks_like_a_range_is_a_name():
    assert expand_groups(["1-4", "2-3"], ["1", "2", "3", "1-4"]) == ("1-4", "2", "3")
