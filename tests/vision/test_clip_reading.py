"""The wanted frames of videos, animations and folders; whatever is none is named."""

import io
import sys
from functools import partial
from pathlib import Path

import pytest

from seqforge.errors import UserError
from seqforge.vision import FrameSampling, read_clip, read_frames, read_image
from tests.vision.clip_files import numbers, write_animation, write_frames, write_video

FOUR = FrameSampling(4)


def _message(caught: pytest.ExceptionInfo[UserError]) -> str:
    text = str(caught.value)
    assert len(text.splitlines()) <= 5
    return text


@pytest.mark.parametrize("ending", ["avi", "mp4", "mkv"])
def test_frames_of_a_video_are_spread_evenly(tmp_path: Path, ending: str) -> None:
    file = write_video(tmp_path / f"a.{ending}", 40)
    frames = read_clip(file, FOUR)

    assert numbers(frames) == [5, 15, 25, 35]
    assert {each.mode for each in frames} == {"RGB"}


def test_frames_at_a_rate(tmp_path: Path) -> None:
    file = write_video(tmp_path / "a.avi", 30, fps=10)
    assert numbers(read_clip(file, FrameSampling(8, rate=2.0))) == [0, 5, 10, 15, 20, 25]


def test_an_open_file_gives_the_same_frames(tmp_path: Path) -> None:
    file = write_video(tmp_path / "a.avi", 12)
    inside = read_clip(io.BytesIO(file.read_bytes()), FOUR, name="all.zip/a.avi")
    assert [each.tobytes() for each in inside] == [each.tobytes() for each in read_clip(file, FOUR)]


def test_animations_are_read_without_pyav(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    file = write_animation(tmp_path / "a.gif", 20)

    assert numbers(read_clip(file, FOUR)) == [2, 7, 12, 17]
    assert numbers(read_clip(file, FrameSampling(12, rate=5.0))) == list(range(0, 20, 2))


def test_a_folder_of_frames(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "a", 12)
    frames = [partial(read_image, folder / f"{number}.png") for number in range(12)]

    assert numbers(read_frames(frames, FOUR, name="a")) == [1, 4, 7, 10]
    with pytest.raises(UserError, match="frames a second") as caught:
        read_frames(frames, FrameSampling(4, rate=1.0), name="a")
    assert caught.value.where == "data.frame_rate"
    _message(caught)


def test_one_frame_is_a_clip(tmp_path: Path) -> None:
    assert numbers(read_clip(write_video(tmp_path / "a.avi", 1), FOUR)) == [0]
    assert numbers(read_clip(write_animation(tmp_path / "a.gif", 1), FOUR)) == [0]


def test_a_long_clip_is_read_to_its_end(tmp_path: Path) -> None:
    file = write_video(tmp_path / "a.avi", 3000)
    frames = read_clip(file, FrameSampling(3))
    assert numbers(frames) == [500 % 45, 1500 % 45, 2500 % 45]


def test_a_clip_that_is_cut_short_is_named_or_gives_what_it_has(tmp_path: Path) -> None:
    file = write_video(tmp_path / "a.avi", 40)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=r"a\.avi") as caught:
        read_clip(file, FOUR)
    _message(caught)
    # Half of a stream that needs no index at its end can be read.
    file = write_video(tmp_path / "a.ts", 40)
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])
    found = numbers(read_clip(file, FOUR))
    assert len(found) == 4
    assert found == sorted(found)
    assert found[-1] < 30


@pytest.mark.parametrize("data", [b"", b"no video at all", b"RIFF\0\0\0\0AVI LIST"])
def test_what_is_no_video_is_named(tmp_path: Path, data: bytes) -> None:
    pytest.importorskip("av")
    (tmp_path / "bad.avi").write_bytes(data)
    with pytest.raises(UserError, match=r"bad\.avi") as caught:
        read_clip(tmp_path / "bad.avi", FOUR)
    _message(caught)


def test_what_is_no_animation_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.gif").write_bytes(b"no animation")
    with pytest.raises(UserError, match=r"bad\.gif' is no clip") as caught:
        read_clip(tmp_path / "bad.gif", FOUR)
    _message(caught)


def test_a_damaged_animation_is_named(tmp_path: Path) -> None:
    file = write_animation(tmp_path / "a.gif", 20)
    data = bytearray(file.read_bytes())
    file.write_bytes(bytes(data[: len(data) // 2]))
    try:
        frames = read_clip(file, FOUR)
    except UserError as error:
        assert "a.gif" in str(error)  # noqa: PT017 - Pillow's releases judge differently
    else:
        assert numbers(frames)[-1] < 15


def test_sound_alone_is_no_clip(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    import numpy as np

    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), dtype=np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(UserError, match="only sound") as caught:
        read_clip(tmp_path / "a.mkv", FOUR)
    _message(caught)


def test_too_many_pixels_are_refused(tmp_path: Path) -> None:
    for file in (write_video(tmp_path / "a.avi", 2), write_animation(tmp_path / "a.gif", 2)):
        with pytest.raises(UserError, match="32 x 32") as caught:
            read_clip(file, FOUR, max_pixels=1000)
        _message(caught)


def test_a_missing_clip_is_named_with_its_neighbour(tmp_path: Path) -> None:
    write_animation(tmp_path / "clip.gif", 2)
    with pytest.raises(UserError, match=r"clip\.gif") as caught:
        read_clip(tmp_path / "clap.gif", FOUR)
    assert "clip.gif" in _message(caught)


def test_videos_without_pyav_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp4").write_bytes(b"whatever")
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UserError, match="package av") as caught:
        read_clip(tmp_path / "a.mp4", FOUR)
    assert "seqforge-lightning[video]" in _message(caught)


@pytest.mark.parametrize("whole", [20, 39])
def test_a_video_that_ends_within_a_frame_says_how_many_there_are(
    tmp_path: Path, whole: int
) -> None:
    file = write_video(tmp_path / "a.avi", 40)
    data = file.read_bytes()
    frame = data.index(b"movi") + 4
    for _ in range(whole):  # a mark, a size, and as many bytes
        size = int.from_bytes(data[frame + 4 : frame + 8], "little")
        frame += 8 + size + size % 2
    file.write_bytes(data[: frame + 20])
    with pytest.raises(
        UserError, match=rf"a\.avi' is .* cut short: {whole} of 40 frames"
    ) as caught:
        read_clip(file, FOUR)
    _message(caught)


def test_a_video_without_a_whole_frame_is_damaged_and_not_of_another_kind(tmp_path: Path) -> None:
    file = write_video(tmp_path / "a.avi", 40)
    whole = file.read_bytes()
    file.write_bytes(whole[: whole.index(b"00dc", whole.index(b"movi")) + 12])
    with pytest.raises(
        UserError, match=r"a\.avi' (is damaged or cut short|has no frames)"
    ) as caught:
        read_clip(file, FOUR)
    _message(caught)
