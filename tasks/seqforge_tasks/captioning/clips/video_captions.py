"""Clips with captions from a user's own files, or from the files of published data."""

from __future__ import annotations

from collections.abc import Sequence

from pytorch_lightning.utilities import rank_zero_info

from seqforge.vision import Fit, FrameSampling
from seqforge_tasks.captioning.clips.clip_index import ClipFile
from seqforge_tasks.captioning.clips.file_clips import FileClips
from seqforge_tasks.captioning.clips.file_videos import FileVideos
from seqforge_tasks.captioning.photos.caption_data import CaptionData
from seqforge_tasks.captioning.photos.dividing import Divided, FileOptions, divided
from seqforge_tasks.captioning.photos.finding import Format
from seqforge_tasks.captioning.photos.options import CaptionOptions, VocabularyKind
from seqforge_tasks.captioning.photos.photos import Part
from seqforge_tasks.captioning.photos.skipped import OnError


class VideoCaptions(CaptionData):
    """A folder of clips and what was written of them.

    The captions are found, and may be written, as those of `ImageCaptions`: `captions.jsonl`,
    `metadata.csv` and so on. A clip is a video (MP4, AVI, MKV, WebM, … with the extra `video`), an
    animation (GIF), or a folder of frames, sorted by the numbers in their names. Clips lie in the
    folder, at any depth, or in zip archives; captions name them by their file, with or without its
    ending, or by the folder of their frames.

    All captions of a clip, all clips of equal content, and all clips of one source video belong to
    one part. What a clip was cut from is said by a column `source_video`, or by its name where that
    is one of MSVD's: `3qqEKTPxLNs_1_15`.

    Args:
        path: A folder, a zip archive, or a file of captions.
        format: What the captions are: "jsonl", "table", "tokens", "karpathy", "coco", "dataset";
            "auto": what the file's name says.
        pictures: Folder or zip archive with the clips, if they do not lie beside the captions.
        select: How many training clips, or which share of them, are kept to choose the checkpoint
            by; None: the split `val` if it is not the reported one, or else a tenth of them, but no
            more than 1,000.
        report: The split that is reported on, or how many training clips are, or their share;
            None: `test`, or else `val`, or else as `select`.
        on_error: What happens to clips and captions that cannot be used: "refuse" or "skip".
        frames: Frames of a clip at most, spread evenly over it.
        frame_rate: Frames a second instead, as long as these are no more than `frames`; None:
            always spread evenly.
        batch_size: Captions of a batch in training, clips of one in evaluation.
        image_size: Pixels of a side of the square frames that the network reads.
        fit: How a frame becomes a square: "crop" takes its centre, "squash" distorts it, "pad"
            fills it up.
        vocabulary: "words", or "subwords" of sentencepiece.
        vocabulary_size: Words or pieces at most, four marks included.
        min_count: How often a word occurs in the training captions at least to be known.
        max_length: Tokens of a caption at most; longer ones are not trained on.
        width: Lengths of captions that differ by less may meet in a batch.
        seed: What the order of batches is drawn from; None: the run's seed.
        num_workers: Processes that load data, for each training process.
        cache: Folder of vocabulary and features; None: `cache` beside the run folders.

    Raises:
        UserError: An argument is out of range.
    """

    def __init__(
        self,
        path: str,
        format: Format = "auto",
        pictures: str | None = None,
        select: int | float | None = None,
        report: int | float | str | None = None,
        on_error: OnError = "refuse",
        frames: int = 16,
        frame_rate: float | None = None,
        batch_size: int = 32,
        image_size: int = 224,
        fit: Fit = "crop",
        vocabulary: VocabularyKind = "words",
        vocabulary_size: int = 10_000,
        min_count: int = 1,
        max_length: int = 50,
        width: int = 2,
        seed: int | None = None,
        num_workers: int = 0,
        cache: str | None = None,
    ) -> None:
        options = CaptionOptions(
            batch_size=batch_size,
            image_size=image_size,
            fit=fit,
            vocabulary=vocabulary,
            vocabulary_size=vocabulary_size,
            min_count=min_count,
            max_length=max_length,
            width=width,
        )
        super().__init__(
            options,
            seed=seed,
            num_workers=num_workers,
            cache=cache,
            sampling=FrameSampling(frames, frame_rate),
        )
        self.files = FileOptions(path, format, pictures, select, report, on_error)
        self._divided: Divided[ClipFile] | None = None

    def photos(self, part: Part) -> FileClips:
        """Return the clips of a part.

        Raises:
            UserError: The files cannot be found or read, or something in them cannot be used.
        """
        assert self.sampling is not None  # `adopt` refuses checkpoints without one
        if self._divided is None:
            medium = FileVideos(self.sampling)
            self._divided = divided(self.files, medium, self.feature_folder, rank_zero_info)
        return FileClips(self._divided.parts[part], self.transform, self.sampling)

    def notes(self) -> Sequence[str]:
        """Return lines on the clips, the vocabulary, and what was left out or skipped."""
        return [*super().notes(), *(self._divided.remarks if self._divided else ())]
