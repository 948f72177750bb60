"""Captions of pictures in many languages.

>>> from captioning import Captioner
>>> captioner = Captioner.from_pretrained()  # the small model inside; a folder or a name on the Hub otherwise
>>> for caption in captioner.caption(picture, languages=["en", "fr"]):
...     print(caption.language, caption.text)
en_XX cat and pizza on a blue background
fr_XX chat et pizza sur fond bleu

Calls release the interpreter's lock, and a captioner can be shared by threads.
"""

from captioning._batch import CaptionBatch
from captioning._captioner import Caption, Captioner, Picture
from captioning._errors import CaptioningError, ImageError, ModelError, OptionError

__all__ = [
    "Caption",
    "CaptionBatch",
    "Captioner",
    "CaptioningError",
    "ImageError",
    "ModelError",
    "OptionError",
    "Picture",
]
