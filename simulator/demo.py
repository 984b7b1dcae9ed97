"""The default cloud: plans, owners and systems."""

from datetime import timedelta

from .cloud import Cloud
from .moments import Clock, utcnow
from .physics import Charger, Load
from .places import OAKLAND, Place
from .world import PLANS, Address

DEMO_PASSWORD = "sunshine"  # noqa: S105 - a login that exists in the simulation only
OWNER = "olivia@example.com"
SECOND_OWNER = "samir@example.com"
OWNER_WITHOUT_SYSTEMS = "noor@example.com"


def demo_cloud(now: Clock = utcnow, *, place: Place = OAKLAND) -> Cloud:
    """Return a cloud with an application per plan and three owners.

    The first owner lives at `place`.

    Applications: client id `demo-<plan>`, secret `demo-<plan>-secret`, API key
    `demo-<plan>-key`, for the plans watt, kilowatt, megawatt and partner.

    Owners, all with the password `sunshine`:

    - `olivia@example.com`: one system with 20 panels, one of which is dead, two
      batteries, two loads on dry contacts and a charger for a car.
    - `samir@example.com`: two systems; one with panels and a gateway on cellular, one
      with panels, three batteries and a generator.
    - `noor@example.com`: no system.
    """
    cloud = Cloud(now)
    for plan in PLANS:
        cloud.add_application(
            client_id=f"demo-{plan}",
            client_secret=f"demo-{plan}-secret",
            api_key=f"demo-{plan}-key",
            plan=plan,
        )
    olivia = cloud.add_account(email=OWNER, password=DEMO_PASSWORD, user_id="3100001")
    samir = cloud.add_account(
        email=SECOND_OWNER, password=DEMO_PASSWORD, user_id="3100002"
    )
    cloud.add_account(
        email=OWNER_WITHOUT_SYSTEMS, password=DEMO_PASSWORD, user_id="3100003"
    )
    hillside = cloud.add_system(
        olivia,
        system_id=4_100_001,
        name="Hillside",
        time_zone=place.time_zone,
        latitude=place.latitude,
        longitude=place.longitude,
        address=place.address,
        size_w=8_500,
        battery=2,
    )
    hillside.install_loads(
        Load(name="NC1", load_name="Pool pump", share_percent=15),
        Load(name="NC2", load_name="Water heater", owner_can_override=False),
    )
    hillside.install_charger(Charger(serial="202641000010"))
    dead = hillside.microinverters[6]
    hillside.break_panel(dead.serial, now() - timedelta(days=3))
    cloud.add_system(
        samir,
        system_id=4_100_002,
        name="Lake cabin",
        time_zone="America/Chicago",
        latitude=43.1,
        longitude=-89.4,
        address=Address(city="Madison", state="WI", country="US", postal_code="53701"),
        size_w=3_400,
        load_scale=0.6,
        connection="cellular",
        consumption_config="Total",
        live_stream=False,
    )
    cloud.add_system(
        samir,
        system_id=4_100_003,
        name="Farmhouse",
        time_zone="America/Chicago",
        latitude=43.2,
        longitude=-89.8,
        address=Address(city="Lodi", state="WI", country="US", postal_code="53555"),
        size_w=10_200,
        battery=3,
        generator_w=9_000,
        load_scale=2.2,
    )
    return cloud
