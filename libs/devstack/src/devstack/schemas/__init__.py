"""What the system promises others, generated from the code and committed: `schemas/`, the topics' manifests.

`python -m devstack.schemas` writes it, `--check` says what is out of date. Either refuses a fact that breaks
what an earlier revision of it promised.
"""
