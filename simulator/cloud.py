"""The state of the simulated cloud."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from .connections import Connections
from .faults import Faults
from .moments import Clock, epoch, utcnow
from .parts import Meter
from .physics import Plant, Roof, Storage
from .publication import Published
from .records import Frame, Quota, Request, Stream, cost, count_by_operation
from .tokens import Tokens
from .truth import Truth
from .world import (
    PLANS,
    AccessControl,
    Account,
    Address,
    Application,
    Connection,
    PlanName,
    System,
)

_MODULE_W = 425
_HISTORY = timedelta(days=400)


class Cloud:
    """All state of the simulated cloud, with one clock.

    Attributes:
        now: The clock.
        faults: The scheduled faults.
        tokens: Codes and tokens.
        connections: The open connections.
        requests: All received requests.
        streams: The live streams that were opened.
        frames: The frames of live data that were sent.
        count_client_errors: Whether requests with 4xx responses count in the quota.
        not_entitled: The status if the application lacks the access control.
        quota_details: Whether a 429 has period and limit; the specification shows both
            forms.
        live_interval: Seconds between two frames of live data.
        sleep: How a live stream waits between frames; replace it in tests.
    """

    def __init__(self, now: Clock = utcnow, *, seed: int = 1) -> None:
        """Begin with an empty world."""
        self.now = now
        self.seed = seed
        self.faults = Faults()
        self.tokens = Tokens(seed)
        self.quota = Quota()
        self.connections = Connections()
        self.requests: list[Request] = []
        self.streams: list[Stream] = []
        self.frames: list[Frame] = []
        self.count_client_errors = True
        self.not_entitled: Literal[401, 403] = 401
        self.quota_details = True
        self.live_interval = 1.0
        self.sleep: Callable[[float], Coroutine[None, None, None]] = asyncio.sleep
        self._applications: dict[str, Application] = {}
        self._accounts: dict[str, Account] = {}
        self._systems: dict[int, System] = {}

    def add_application(
        self,
        *,
        client_id: str,
        client_secret: str,
        api_key: str,
        plan: PlanName = "watt",
        name: str = "Home Assistant",
        redirect_uris: Iterable[str] | None = None,
        access: Iterable[AccessControl] | None = None,
    ) -> Application:
        """Register an application; `access` limits the access controls of its plan."""
        limits = PLANS[plan]
        ticked = limits.access if access is None else limits.access & set(access)
        application = Application(
            name=name,
            client_id=client_id,
            client_secret=client_secret,
            api_key=api_key,
            plan=limits,
            access=ticked,
            redirect_uris=None if redirect_uris is None else frozenset(redirect_uris),
        )
        self._applications[client_id] = application
        return application

    def add_account(
        self, *, email: str, password: str, user_id: str | None = None
    ) -> Account:
        """Create a home owner's login."""
        user_id = user_id or str(1_000_001 + len(self._accounts))
        account = Account(email=email, password=password, user_id=user_id)
        self._accounts[email.lower()] = account
        return account

    def add_system(
        self,
        account: Account,
        *,
        system_id: int | None = None,
        name: str = "Home",
        time_zone: str = "America/Los_Angeles",
        latitude: float = 38.0,
        longitude: float | None = None,
        address: Address | None = None,
        size_w: int = 6_800,
        battery: Storage | int | None = None,
        generator_w: int = 0,
        load_scale: float = 1.5,
        meters: Iterable[Meter] = ("production", "consumption"),
        consumption_config: Literal["Net", "Total"] = "Net",
        phases: Literal[1, 3] = 1,
        connection: Connection = "ethernet",
        status: str = "normal",
        live_stream: bool = True,
        corrections: bool = True,
        dark_intervals: bool = True,
        listed_size_w: int | None = None,
        commissioned: date | None = None,
        seed: int | None = None,
    ) -> System:
        """Add a system to an account.

        `battery` is a storage or a number of 5 kWh units; `longitude` defaults to the
        middle of the time zone, `commissioned` to 400 days ago.
        """
        system_id = system_id or 4_200_001 + len(self._systems)
        storage = Storage(units=battery) if isinstance(battery, int) else battery
        zone = ZoneInfo(time_zone)
        if longitude is None:
            offset = datetime(2026, 1, 1, tzinfo=zone).utcoffset() or timedelta(0)
            longitude = offset / timedelta(hours=1) * 15
        plant = Plant(
            seed=self.seed * 1_000_003 + system_id if seed is None else seed,
            time_zone=time_zone,
            latitude=latitude,
            longitude=longitude,
            commissioned=commissioned
            or (self.now() - _HISTORY).astimezone(zone).date(),
            size_w=size_w,
            load_scale=load_scale,
            storage=storage,
            generator_w=generator_w,
            roof=Roof(modules=max(1, size_w // _MODULE_W)),
        )
        system = System(
            system_id=system_id,
            account=account,
            name=name,
            plant=plant,
            time_zone=time_zone,
            address=address or Address(),
            connection=connection,
            meters=frozenset(meters),
            consumption_config=consumption_config,
            phases=phases,
            status=status,
            live_stream=live_stream,
            corrections=corrections,
            dark_intervals=dark_intervals,
            listed_size_w=listed_size_w,
        )
        self._systems[system_id] = system
        return system

    def remove_account(self, account: Account) -> None:
        """Remove an account; its tokens become invalid."""
        del self._accounts[account.email.lower()]

    @property
    def applications(self) -> list[Application]:
        """Return all applications."""
        return list(self._applications.values())

    @property
    def accounts(self) -> list[Account]:
        """Return all accounts."""
        return list(self._accounts.values())

    @property
    def systems(self) -> list[System]:
        """Return all systems."""
        return list(self._systems.values())

    def application(self, client_id: str) -> Application | None:
        """Return the application with a client id."""
        return self._applications.get(client_id)

    def application_of_key(self, api_key: str) -> Application | None:
        """Return the application to which an API key belongs."""
        for application in self._applications.values():
            if application.api_key == api_key:
                return application
        return None

    def account(self, email: str) -> Account | None:
        """Return the account of an e-mail address."""
        return self._accounts.get(email.lower())

    def account_of_user(self, user_id: str) -> Account | None:
        """Return the account of a user id."""
        for account in self._accounts.values():
            if account.user_id == user_id:
                return account
        return None

    def system(self, system_id: int) -> System:
        """Return a system; raises KeyError if it does not exist."""
        return self._systems[system_id]

    def find_system(self, system_id: int) -> System | None:
        """Return a system, None if it does not exist."""
        return self._systems.get(system_id)

    def remove_system(self, system_id: int) -> None:
        """Remove a system from its account."""
        del self._systems[system_id]

    def truth(self, system_id: int) -> Truth:
        """Return the actual values of a system."""
        return Truth(self.system(system_id))

    def published(self, system: System) -> Published:
        """Return the data of a system that documents show now."""
        return Published(system, epoch(self.now()))

    def counts(self, application: str | None = None) -> dict[str, int]:
        """Return the number of requests per operation, of one client id or of all."""
        return count_by_operation(
            request
            for request in self.requests
            if application in {None, request.application}
        )

    @property
    def writes(self) -> list[Request]:
        """Return all write requests, with refused ones."""
        return [each for each in self.requests if each.took_effect is not None]

    @property
    def live_cost(self) -> float:
        """Return the costs of all live streams, in US dollars."""
        return cost(self.streams)

    def tokens_for(
        self, application: Application, account: Account
    ) -> dict[str, object]:
        """Return a fresh token document, as if the account had just signed in."""
        return self.tokens.issue(application, account, self.now())
