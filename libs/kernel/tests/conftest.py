"""No deadline on an example: on a loaded machine it fails for reasons that are not ours."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
