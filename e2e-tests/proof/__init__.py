"""The proof: what the databases, Kafka and the bank say, compared. Nothing that an actor remembers counts.

`python -m proof --stack .local/stack.json` prints JSON; `python -m proof --stack … --text` is for people.
"""
