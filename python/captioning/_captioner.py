from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, overload

from captioning import _captioning

if TYPE_CHECKING:
    import numpy
    from PIL import Image

#: A path, the bytes of a file, a Pillow image, an array of uint8 [height, width, 3], or a dictionary with
#: ``bytes`` or ``path``, as ``datasets`` has pictures that it has not decoded.
Picture: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | Image.Image | numpy.ndarray | Mapping[str, Any]"
)


class Caption(NamedTuple):
    """A caption of a picture."""

    #: The code of its language, such as ``es_XX``; ``und`` if the model has no languages.
    language: str
    text: str
    #: The sum of the tokens' log-probabilities, divided by their number to the power of ``length_penalty``.
    score: float
    #: All tokens, with the start token and the code of the language.
    ids: list[int]
    #: The log-probability of each generated token.
    token_log_probs: list[float]


class Captioner:
    """Captions pictures.

    >>> captioner = Captioner.from_pretrained()
    >>> captioner.languages
    ['en_XX', 'fr_XX', 'de_DE', 'es_XX']
    >>> captioner.caption(picture, languages=["de"])[0].text
    'Katze und Pizza auf blauem Hintergrund'
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        tokenizer: str | os.PathLike[str] | None = None,
        languages: Sequence[str] | None = None,
        weights: str = "auto",
        threads: int = 0,
    ) -> None:
        self._arguments = (
            None if model is None else os.fspath(model),
            None if tokenizer is None else os.fspath(tokenizer),
            None if languages is None else list(languages),
            weights,
            threads,
        )
        self._native = _captioning.Captioner(*self._arguments)

    @classmethod
    def from_pretrained(
        cls,
        model: str | os.PathLike[str] | None = None,
        *,
        tokenizer: str | os.PathLike[str] | None = None,
        languages: Sequence[str] | None = None,
        weights: str = "auto",
        threads: int = 0,
    ) -> Captioner:
        """Loads a model.

        :param model: a Hugging Face folder, or a name on the Hub, ``owner/name[@revision][:subfolder]``. Without
            it, the small model inside the package, which knows 514 things in pictogram art and is not for photographs.
        :param tokenizer: another folder or name that has the tokenizer, where the model's has none.
        :param languages: the languages to write, by code (``es_XX``), short code (``es``) or English name. Default:
            all that the tokenizer has.
        :param weights: how weights are kept in memory: ``auto``, ``f32``, ``bf16``, ``int8``, ``int4``.
        :param threads: 0 means one for each core.
        :raises ModelError: if there is no such model, or it can't be loaded.
        """
        return cls(
            model,
            tokenizer=tokenizer,
            languages=languages,
            weights=weights,
            threads=threads,
        )

    @property
    def languages(self) -> list[str]:
        """The codes of the languages that it writes."""
        return self._native.languages()

    @overload
    def caption(
        self, images: Picture, languages: Sequence[str] | str | None = ..., **options: Any
    ) -> list[Caption]: ...
    @overload
    def caption(
        self,
        images: Sequence[Picture],
        languages: Sequence[str] | str | None = ...,
        *,
        errors: Literal["raise"] = ...,
        **options: Any,
    ) -> list[list[Caption]]: ...
    @overload
    def caption(
        self,
        images: Sequence[Picture],
        languages: Sequence[str] | str | None = ...,
        *,
        errors: Literal["return"],
        **options: Any,
    ) -> list[list[Caption] | Exception]: ...
    def caption(
        self,
        images: Picture | Sequence[Picture],
        languages: Sequence[str] | str | None = None,
        *,
        batch_size: int | None = None,
        errors: Literal["raise", "return"] = "raise",
        prompt: str = "",
        prefix: str = "",
        required_words: Sequence[str] = (),
        forbidden_words: Sequence[str] = (),
        **generation: Any,
    ) -> Any:
        """Captions a picture, or several.

        A picture has a list of captions: for each language ``num_return_sequences`` of them, best first. A list or
        tuple of pictures has a list of such lists.

        >>> captioner.caption([picture, picture], languages="en", num_beams=1)[1][0].text
        'cat and pizza on a blue background'

        :param languages: one or several, by code, short code or English name. Default: all.
        :param batch_size: pictures that are captioned at once. Captions do not depend on it. Default: as many as are
            fast for the size of the model and the number of threads.
        :param errors: what becomes of a picture that can't be captioned: ``raise`` raises its exception, ``return``
            has it in the result in place of the captions.
        :param prompt: what the decoder is told before it writes: the task of a Donut.
        :param prefix: the text that every caption begins with.
        :param required_words: words that a caption has to contain, with alternatives: ``dog|puppy``.
        :param forbidden_words: words that a caption must not contain; ``animal*`` means longer ones as well.
        :param generation: the options of generation by the names that transformers has: ``num_beams``,
            ``max_new_tokens``, ``length_penalty``, ``do_sample``, ``seed``, ... Four beams and at most 64 tokens are
            the defaults where the checkpoint says nothing.
        :raises ImageError: for a picture that can't be read.
        :raises OptionError: for an option or a language that does not exist.
        """
        if errors not in ("raise", "return"):
            raise ValueError(f"errors is {errors!r}, expected 'raise' or 'return'")
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}, expected at least 1")
        is_one = not isinstance(images, (list, tuple))
        if languages is None:
            languages = self.languages
        call = {
            "languages": [languages] if isinstance(languages, str) else list(languages),
            "settings": [f"{name}={json.dumps(value)}" for name, value in generation.items()],
            "prompt": prompt,
            "prefix": prefix,
            "required_words": list(required_words),
            "forbidden_words": list(forbidden_words),
            "batch_size": batch_size or 0,
        }
        outcomes = []
        for outcome in self._native.caption([images] if is_one else list(images), call):
            if isinstance(outcome, Exception):
                if errors == "raise":
                    raise outcome
                outcomes.append(outcome)
            else:
                outcomes.append([Caption(*fields) for fields in outcome])
        return outcomes[0] if is_one else outcomes

    def score(self, image: Picture, texts: Sequence[str], language: str) -> list[float]:
        """How likely texts are as captions of a picture: their scores, as those of :meth:`caption`.

        >>> cat, dog = captioner.score(picture, ["cat and pizza on a blue background", "dog"], "en")
        >>> cat > dog
        True
        """
        return self._native.score(image, list(texts), language)

    def __reduce__(self) -> tuple[Any, ...]:
        # Another process loads the model itself; a mapped file is then shared.
        model, tokenizer, languages, weights, threads = self._arguments
        return (_load, (model, tokenizer, languages, weights, threads))

    def __repr__(self) -> str:
        return f"Captioner({self._arguments[0]!r})"


def _load(
    model: str | None,
    tokenizer: str | None,
    languages: list[str] | None,
    weights: str,
    threads: int,
) -> Captioner:
    return Captioner(
        model, tokenizer=tokenizer, languages=languages, weights=weights, threads=threads
    )
