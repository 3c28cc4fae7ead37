"""Photos with captions from a user's own files, or from the files of published data."""

from __future__ import annotations

from collections.abc import Sequence

from pytorch_lightning.utilities import rank_zero_info

from seqforge.vision import Fit
from seqforge_tasks.captioning.photos.caption_data import CaptionData
from seqforge_tasks.captioning.photos.dividing import Divided, FileOptions, divided
from seqforge_tasks.captioning.photos.file_photos import FilePhotos
from seqforge_tasks.captioning.photos.file_pictures import FilePictures
from seqforge_tasks.captioning.photos.finding import Format
from seqforge_tasks.captioning.photos.options import CaptionOptions, VocabularyKind
from seqforge_tasks.captioning.photos.photos import Part
from seqforge_tasks.captioning.photos.skipped import OnError
from seqforge_tasks.captioning.photos.trees.picture_index import PictureFile


class ImageCaptions(CaptionData):
    """A folder of photos and what was written of them.

    The captions are found by their file's name: `captions.jsonl` or `metadata.jsonl` (an object
    with `file`, `captions` and perhaps `split` in each line), `metadata.csv` (`file_name,text`, as
    of image folders; one of these in each of `train/`, `val/` and `test/` is fine too) or
    `captions.txt` (`image,caption`), `Flickr8k.token.txt` with the lists of its splits,
    `dataset_*.json` of Karpathy's splits, `captions_*.json` of COCO; `.gz` may follow. Pictures lie
    in the folder, at any depth, or in zip archives, which are read in place.

    All captions of a photo, and all pictures of equal content, belong to one part. Where the files
    have splits, the reported ones are those of `test`, or of `val`; else photos are kept from the
    training ones by a hash of their content. The photos that choose a checkpoint are never
    reported on.

    Args:
        path: A folder, a zip archive, a file of captions, or the name of a data set of the
            `datasets` library.
        format: What the captions are: "jsonl", "table", "tokens", "karpathy", "coco", "dataset";
            "auto": what the file's name says.
        pictures: Folder or zip archive with the pictures, if they do not lie beside the captions.
        select: How many training photos, or which share of them, are kept to choose the checkpoint
            by; None: the split `val` if it is not the reported one, or else a tenth of them, but no
            more than 1,000.
        report: The split that is reported on, or how many training photos are, or their share;
            None: `test`, or else `val`, or else as `select`.
        on_error: What happens to photos and captions that cannot be used: "refuse" or "skip".
        batch_size: Captions of a batch in training, pictures of one in evaluation.
        image_size: Pixels of a side of the square pictures that the network reads.
        fit: How a picture becomes a square: "crop" takes its centre, "squash" distorts it, "pad"
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
        batch_size: int = 64,
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
        super().__init__(options, seed=seed, num_workers=num_workers, cache=cache)
        self.files = FileOptions(path, format, pictures, select, report, on_error)
        self._divided: Divided[PictureFile] | None = None

    def photos(self, part: Part) -> FilePhotos:
        """Return the photos of a part.

        Raises:
            UserError: The files cannot be found or read, or something in them cannot be used.
        """
        if self._divided is None:
            folder = self.feature_folder
            self._divided = divided(self.files, FilePictures(), folder, rank_zero_info)
        return FilePhotos(self._divided.parts[part], self.transform)

    def notes(self) -> Sequence[str]:
        """Return lines on the photos, the vocabulary, and what was left out or skipped."""
        return [*super().notes(), *(self._divided.remarks if self._divided else ())]
