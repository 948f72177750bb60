"""The exceptions, in Python so that they can be sent between processes."""


class CaptioningError(Exception):
    """What this package raises."""


class ModelError(CaptioningError):
    """A model that can't be found or loaded. The message names the file."""


class ImageError(CaptioningError, ValueError):
    """A picture that can't be read, or for which no caption was found."""


class OptionError(CaptioningError, ValueError):
    """An option that does not exist, is out of range or contradicts another, or a language that is not written."""
