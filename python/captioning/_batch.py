from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from captioning._captioner import Captioner


class CaptionBatch:
    """Captions a column of pictures: what data engines call with batches of rows.

    A batch is a dictionary of columns. It is returned with a column for each language, ``caption_en_XX``, and with
    ``caption_error``, which says why a picture has no captions. What does not apply is an empty text and not
    ``None``: engines take the type of a column from its first rows.

    >>> captions = CaptionBatch(languages=["en", "es"])
    >>> batch = captions({"image": [picture, b"no picture"]})
    >>> batch["caption_es_XX"][0]
    'gato y pizza sobre fondo azul'
    >>> batch["caption_es_XX"][1], batch["caption_error"][0]
    ('', '')
    >>> batch["caption_error"][1]
    'expected an image (PNG, JPEG, WebP, GIF, TIFF, BMP, ICO, PNM or QOI), found 10 bytes of something else'

    The model is loaded when the object is made, once in each process that it is sent to:
    ``dataset.map_batches(CaptionBatch, fn_constructor_kwargs={"languages": ["en"]}, concurrency=2)`` with Ray,
    ``dataset.map(CaptionBatch(languages=["en"]), batched=True)`` with Hugging Face's datasets.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        column: str = "image",
        languages: Sequence[str] | str | None = None,
        tokenizer: str | os.PathLike[str] | None = None,
        weights: str = "auto",
        threads: int = 0,
        **options: Any,
    ) -> None:
        """:param column: the pictures: paths, bytes, or what else :class:`Captioner` takes.
        :param options: those of :meth:`Captioner.caption`.
        """
        if languages is not None:
            languages = [languages] if isinstance(languages, str) else list(languages)
        self.captioner = Captioner.from_pretrained(
            model, tokenizer=tokenizer, languages=languages, weights=weights, threads=threads
        )
        self.column = column
        self.options = options

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        pictures = list(batch[self.column])
        outcomes = self.captioner.caption(pictures, errors="return", **self.options)
        texts: dict[str, list[str]] = {
            language: [""] * len(pictures) for language in self.captioner.languages
        }
        errors = [""] * len(pictures)
        for row, outcome in enumerate(outcomes):
            if isinstance(outcome, Exception):
                errors[row] = str(outcome)
                continue
            # The best of a language comes first.
            for caption in reversed(outcome):
                texts[caption.language][row] = caption.text
        return {
            **batch,
            **{f"caption_{language}": column for language, column in texts.items()},
            "caption_error": errors,
        }
