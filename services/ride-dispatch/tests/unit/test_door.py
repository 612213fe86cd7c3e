import web
from ride_dispatch import main
from ride_dispatch.settings import Settings


def test_the_door_describes_itself_without_opening_anything() -> None:
    paths = main.describe().openapi()["paths"]
    accept = paths["/rides/{ride_id}/accept"]["post"]
    assert accept["x-roles"] == ["driver"]
    assert {"200", "400", "401", "403", "404", "409", "422"} <= set(accept["responses"])


def test_operations_are_named_after_their_verbs() -> None:
    names = {operation.operation_id for operation in web.operations(main.describe()) if operation.public}
    assert {"request_ride", "accept_ride", "reject_offer", "record_location", "list_offers"} <= names


def test_the_policies_follow_the_settings() -> None:
    settings = Settings(
        database_url="postgresql://x@localhost/x",
        kafka_bootstrap="localhost:1",
        offer_ttl_s=7,
        radius_m=9000,
        max_radius_m=5000,
    )
    assert main.search_policy(settings).offer_ttl_s == 7
    assert main.search_policy(settings).max_radius_m == 9000
    assert {tariff.commission_bps for tariff in main.tariffs(settings).values()} == {2000}
    assert main.location_policy(settings).max_speed_mps == settings.location_max_speed_mps
