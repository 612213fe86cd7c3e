"""What every parser of documents raises."""


class InvalidDocument(ValueError):
    """The text is not such a document.

    `code` is stable ("invalid_cpf", …). The message holds the code alone: the text may be somebody's
    personal data, and messages end up in logs.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
