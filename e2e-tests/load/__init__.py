"""`make bench`: figures as ratios to a yardstick that is measured in the same run, on the same machine.

`ONLY=prefix` picks the figures whose names start with it. Absolute numbers depend on the machine; ratios less.
"""
