"""The error that means: the input, not the program, is wrong."""


class InputError(ValueError):
    """Bad input that the caller can mend: one sentence saying what was expected and what came.

    The command line prints the sentence and exits with 1; the library raises it. Anything else
    that escapes is a bug of ours and keeps its traceback.

    Example:
        >>> from keras_videolstm.errors import InputError
        >>> raise InputError("Expected 3 colour channels. Received: shape=(10, 64, 64, 4)")
        Traceback (most recent call last):
        keras_videolstm.errors.InputError: Expected 3 colour channels. ...
    """
