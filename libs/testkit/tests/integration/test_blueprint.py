"""Nothing that the blueprint's data model lists has been lost on the way."""

import re
from collections.abc import Callable

import pytest

from devstack.manifest import SERVICES
from testkit import blueprint, repository
from testkit.databases import DatabaseUrls
from testkit.schema import EXCEPTIONS, MOVED, SEALED, FoundIndex, Schema, missing, read_schema

MakeDatabase = Callable[[str], DatabaseUrls]


async def test_every_column_and_index_of_the_blueprint_is_in_some_services_database(
    make_database: MakeDatabase,
) -> None:
    landed = repository.services()
    with_database = [service.name for service in SERVICES if service.database]
    if not set(with_database) <= set(landed):
        pytest.skip(f"not landed yet: {set(with_database) - set(landed)}")

    schemas = [await read_schema(make_database(name).admin_url, service=name) for name in with_database]

    assert missing(schemas) == []


def test_the_list_is_as_long_as_the_blueprints() -> None:
    tables = {table for table, _ in blueprint.COLUMNS}

    assert len(tables) == 15
    assert len(blueprint.COLUMNS) == 141
    assert len(blueprint.INDEXES) == 14


def test_what_was_moved_sealed_or_left_out_is_in_the_blueprint() -> None:
    named = {
        *MOVED,
        *SEALED,
        *blueprint.UNIQUE_COLUMNS,
        *(key for key in EXCEPTIONS if isinstance(key, tuple)),
    }

    assert named <= set(blueprint.COLUMNS)
    assert all(re.search(r"\w{3,} \w+", reason) for reason in EXCEPTIONS.values())


def test_a_missing_column_a_wrong_type_and_a_lost_index_are_found() -> None:
    whole = _whole()
    assert missing([whole]) == []

    columns = dict(whole.columns)
    del columns["rides", "pickup_lat"]
    columns["payouts", "amount"] = "numeric(12,2)"
    indexes = [index for index in whole.indexes if index.columns != ("txid",)]
    found = missing([Schema(service="mutant", columns=columns, indexes=indexes)])

    assert [line.split(" is ")[0] for line in found] == [
        "column rides.pickup_lat",
        "column payouts.amount",
        "index idx_pix_txid on pix_charges ('txid',)",
    ]


def test_an_index_that_is_not_unique_does_not_stand_for_one_that_is() -> None:
    whole = _whole()
    indexes = [
        FoundIndex(table=index.table, columns=index.columns, unique=False, only_when=index.only_when)
        for index in whole.indexes
    ]

    found = missing([Schema(service="mutant", columns=whole.columns, indexes=indexes)])

    unique = sum(index.unique for index in blueprint.INDEXES.values())
    assert len(found) == unique + len(blueprint.UNIQUE_COLUMNS)


def _whole() -> Schema:
    """A schema that has everything, made from the list itself."""
    types = {
        "UUID": "uuid",
        "Integer": "int4",
        "BigInt": "int8",
        "Boolean": "bool",
        "Timestamp": "timestamptz",
    }
    types |= {"Date": "date", "JSONB": "jsonb", "Inet": "inet", "Decimal": "numeric(10,8)"}
    columns = {}
    for column, kind in blueprint.COLUMNS.items():
        exact = (
            kind.replace("Decimal", "numeric").replace(".", ",") if "." in kind else types.get(kind, "text")
        )
        columns[MOVED.get(column, column)] = "bytea" if column in SEALED else exact
    indexes = [
        FoundIndex(table=i.table, columns=i.columns, unique=i.unique, only_when=i.only_when)
        for i in blueprint.INDEXES.values()
    ]
    for column in blueprint.UNIQUE_COLUMNS:
        table, name = SEALED.get(column) or MOVED.get(column, column)
        indexes.append(FoundIndex(table=table, columns=(name,), unique=True, only_when=None))
    return Schema(service="whole", columns=columns, indexes=indexes)
