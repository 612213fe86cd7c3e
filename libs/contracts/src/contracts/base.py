"""What every fact is: a frozen Pydantic model that knows its name, topic and key."""

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

from contracts.topics import Topic
from kernel.money import money

Money = Annotated[
    Decimal,
    BeforeValidator(money),
    PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d{1,13}\.\d{2}$", "examples": ["50.00"]}),
]
"""An amount in BRL: `Decimal` with two places in Python, a string such as "50.00" in JSON."""

Time = AwareDatetime
"""A point in time: RFC 3339 in JSON, aware in Python."""


class Model(BaseModel):
    """A frozen value inside a fact. A consumer ignores fields that it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Fact(Model):
    """Something that happened. Past tense, immutable, published through the outbox.

    Class attributes: `fact`, the bare name ("ride.accepted", also the socket frame's `type`);
    `topic`, where it is published; `major`, the schema's major version; `key_field`, the field
    whose value is the Kafka key, so that one aggregate stays in order.
    """

    fact: ClassVar[str]
    topic: ClassVar[Topic]
    key_field: ClassVar[str]
    major: ClassVar[int] = 1

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents type, such as `br.ibora.ride.accepted.v1`."""
        return f"br.ibora.{cls.fact}.v{cls.major}"

    def key(self) -> str:
        """The Kafka key."""
        return str(getattr(self, self.key_field))
