"""Photos with captions from a user's own files, or from the files of published data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pytorch_lightning.utilities import rank_zero_info

from seqforge.errors import UserError, closest_match
from seqforge.vision import Fit
from seqforge_tasks.captioning.photos.caption_data import CaptionData
from seqforge_tasks.captioning.photos.file_photos import FilePhotos
from seqforge_tasks.captioning.photos.finding import Format, find_captions
from seqforge_tasks.captioning.photos.gathering import GatheredPhoto, gather, written_photos
from seqforge_tasks.captioning.photos.options import CaptionOptions, VocabularyKind
from seqforge_tasks.captioning.photos.photos import Part
from seqforge_tasks.captioning.photos.skipped import OnError, Skipped
from seqforge_tasks.captioning.photos.splits import canonical, divide, places_of


class ImageCaptions(CaptionData):
    """A folder of photos and what was written of them.

    The captions are found by their file's name: `captions.jsonl` or `metadata.jsonl` (an object
    with `file`, `captions` and perhaps `split` in each line), `metadata.csv` (`file_name,text`, as
    of image folders) or `captions.txt` (`image,caption`), `Flickr8k.token.txt` with the lists of
    its splits, `dataset_*.json` of Karpathy's splits, `captions_*.json` of COCO; `.gz` may follow.
    Pictures lie in the folder, at any depth, or in zip archives, which are read in place.

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
        _require_amount("select", select)
        if not isinstance(report, str):
            _require_amount("report", report)
        kinds = ("refuse", "skip")
        if on_error not in kinds:
            raise UserError(
                f"on_error is '{on_error}'",
                where="data.on_error",
                accepted=kinds,
                closest=closest_match(on_error, kinds),
            )
        self.path = path
        self.format: Format = format
        self.pictures_path = pictures
        self.select = select
        self.report = report
        self.on_error: OnError = on_error
        self._divided: dict[Part, list[GatheredPhoto]] = {}
        self._remarks: list[str] = []

    def photos(self, part: Part) -> FilePhotos:
        """Return the photos of a part.

        Raises:
            UserError: The files cannot be found or read, or something in them cannot be used.
        """
        if not self._divided:
            self._divide()
        return FilePhotos(self._divided[part], self.transform)

    def notes(self) -> Sequence[str]:
        """Return lines on the photos, the vocabulary, and what was left out or skipped."""
        return [*super().notes(), *self._remarks]

    def _divide(self) -> None:
        found = find_captions(self.path, self.format, self.pictures_path)
        written = written_photos(list(found.source.records()))
        if not written:
            raise UserError(
                f"'{found.source.name}' has no captions", where="data.path", todo="give some"
            )
        splits = [canonical(each.split, self.report, each.place) for each in written]
        places = places_of(splits, self.select, self.report)
        used = [number for number, split in enumerate(splits) if places.used(split)]
        unused = Counter(split for split in splits if not places.used(split))
        skipped = Skipped(self.on_error)
        gathered = gather(
            [written[number] for number in used],
            found,
            skipped,
            self.feature_folder,
            rank_zero_info,
        )
        pairs = [
            (photo, splits[number])
            for photo, number in zip(gathered, used, strict=True)
            if photo is not None
        ]
        photos = [photo for photo, _ in pairs]
        division = divide(
            [photo.key for photo in photos],
            [split for _, split in pairs],
            places,
            (self.select, self.report),
        )
        self._divided = {
            part: [photos[number] for number in numbers] for part, numbers in division.parts.items()
        }
        self._remarks = [f"not used: {count:,} photos, {split}" for split, count in unused.items()]
        if division.copies:
            self._remarks.append(
                f"left out: {division.copies:,} photos whose picture is in another part too"
            )
        self._remarks += skipped.notes()


def _require_amount(name: str, amount: int | float | None) -> None:
    if amount is None:
        return
    if amount < 1 if isinstance(amount, int) else not 0 < amount < 1:
        raise UserError(
            f"{name} is {amount}",
            where=f"data.{name}",
            todo="give a number of photos, or a share of them between 0 and 1",
        )
