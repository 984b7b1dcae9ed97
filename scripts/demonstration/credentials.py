"""With what the demo signs in at the simulated cloud."""

from dataclasses import dataclass
from typing import Final

from simulator.demo import DEMO_PASSWORD, OWNER, demo_cloud
from simulator.world import Application

# Its plan has live streams.
PLAN: Final = "kilowatt"
OBSERVER_PLAN: Final = "megawatt"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A developer's application, and the home owner who lets it read."""

    application: Application
    email: str = OWNER
    password: str = DEMO_PASSWORD


def demo_credentials(plan: str = PLAN, email: str = OWNER) -> Credentials:
    """Return the application of a plan, and an owner of the simulated cloud."""
    application = demo_cloud().application(f"demo-{plan}")
    assert application is not None
    return Credentials(application, email)


def systems_of(credentials: Credentials) -> list[int]:
    """Return the ids of the systems that an owner has."""
    return [
        system.system_id
        for system in demo_cloud().systems
        if system.account.email == credentials.email
    ]
