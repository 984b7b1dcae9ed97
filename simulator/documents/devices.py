"""The devices of a system."""

from simulator.parts import BATTERY, HEAT_PUMP, Meter, Part
from simulator.publication import Published
from simulator.world import System

from .inverters import report_times
from .meters import meters_of
from .windows import Document, Query


def encharge_serial(system: System, unit: int) -> str:
    """Return the serial number of a battery; numbers begin with 1."""
    return f"4923{system.system_id:06}{unit:02}"


def device_id(system: System, number: int) -> int:
    """Return the id of a system's n-th device."""
    return system.system_id * 1_000 + number


def devices(published: Published, query: Query) -> Document:
    """Return the active devices, without empty kinds."""
    del query
    kinds = {
        "micros": _micros(published),
        "meters": _meters(published),
        "gateways": _gateways(published),
        "q_relays": _relays(published),
        "acbs": _ac_batteries(published),
        "encharges": _encharges(published),
        "enpowers": _enpowers(published),
        "ev_chargers": _ev_chargers(published),
        "heat_pump": _heat_pumps(published),
        "iq_collars": _collars(published),
        "iq_air": _iq_airs(published),
        "generators": _generators(published),
    }
    return {
        "system_id": published.system.system_id,
        "total_devices": sum(map(len, kinds.values())),
        "items": "devices",
        "devices": {kind: found for kind, found in kinds.items() if found},
    }


def _device(
    published: Published, number: int, name: str, serial: str, **more: object
) -> Document:
    return {
        "id": device_id(published.system, number),
        "last_report_at": published.last_report_at,
        "name": name,
        "serial_number": serial,
        "status": published.system.device_statuses.get(serial, "normal"),
        "active": True,
        **more,
    }


def _last_read_at(published: Published, part: Part) -> int:
    return published.system.last_read_at(part, published.last_report_at)


def _compliance(published: Published) -> Document:
    """Return the flags of origin, which exist only in the United States."""
    if published.system.address.country != "US":
        return {}
    return {"feoc_compliant": True, "dom_compliant": False}


def _micros(published: Published) -> list[Document]:
    times = report_times(published)
    return [
        {
            "id": micro.device_id,
            "last_report_at": times[micro.serial],
            "name": f"Microinverter {micro.serial}",
            "serial_number": micro.serial,
            "part_number": "800-01733-r02",
            "sku": "IQ8PLUS-72-2-US",
            "model": "IQ8+",
            "status": published.status_of(micro),
            "active": True,
            "product_name": "IQ8+",
            **_compliance(published),
        }
        for micro in published.system.microinverters
    ]


def _meters(published: Published) -> list[Document]:
    system = published.system
    configs: dict[Meter, str] = {
        "production": "Production",
        "consumption": system.consumption_config,
    }
    return [
        _device(
            published,
            meter.number,
            name,
            meter.serial,
            last_report_at=_last_read_at(published, meter.part),
            part_number="800-00655-r09",
            sku=None,
            model="IQ Gateway",
            state="enabled",
            config_type=config,
            config_phase="single" if system.phases == 1 else "three",
            product_name="IQ Gateway",
        )
        for name, config in configs.items()
        for meter in meters_of(system, name)
        if meter.until is None
    ]


def _gateways(published: Published) -> list[Document]:
    system = published.system
    second = system.second_gateway
    behind = (0, second.behind if second else 0)
    return [
        _device(
            published,
            number,
            f"Gateway {serial}",
            serial,
            last_report_at=published.last_report_at - late,
            part_number="800-00655-r09",
            emu_sw_version=f"D{system.gateway_version}",
            sku="ENV-IQ-AM1-240",
            model="IQ Gateway",
            product_name="IQ Gateway",
            **_modem(system, number),
        )
        for number, serial, late in zip(
            (3, 5), system.gateway_serials, behind, strict=False
        )
    ]


def _modem(system: System, number: int) -> Document:
    if system.connection != "cellular":
        return {}
    modem: Document = {
        "imei": f"3520{number}{system.system_id:010}",
        "part_num": "860-00157-r01",
        "sku": "CELLMODEM-M1",
        "plan_start_date": system.operational_at,
        "plan_end_date": system.operational_at + 5 * 365 * 86_400,
    }
    return {"cellular_modem": modem}


def _relays(published: Published) -> list[Document]:
    return [
        _numbered(
            published,
            50 + number,
            "IQ Relay",
            part_number="800-00611-r02",
            sku="Q-RELAY-1P-17",
        )
        for number in range(1, published.system.relays + 1)
    ]


def _ac_batteries(published: Published) -> list[Document]:
    return [
        _numbered(
            published,
            60 + number,
            "AC Battery",
            part_number="800-00571-r01",
            sku="ACB-1200-17",
        )
        for number in range(1, published.system.ac_batteries + 1)
    ]


def _collars(published: Published) -> list[Document]:
    return [
        _numbered(
            published,
            70 + number,
            "IQ Meter Collar",
            part_number="865-00417-r02",
            sku="MC-200-017-V02",
        )
        for number in range(1, published.system.collars + 1)
    ]


def _numbered(published: Published, number: int, kind: str, **more: object) -> Document:
    """Return a device with a serial number that is made of its number."""
    serial = f"483{published.system.system_id:07}{number:02}"
    more = {"model": "", "product_name": kind, **more}
    return _device(published, number, f"{kind} {serial}", serial, **more)


def _encharges(published: Published) -> list[Document]:
    system = published.system
    return [
        _device(
            published,
            10 + unit,
            f"IQ Battery {serial}",
            serial,
            last_report_at=_last_read_at(published, f"{BATTERY} {unit}"),
            part_number="830-01760-r37",
            sku="IQBATTERY-5P-1P-NA",
            model="",
            product_name="IQ Battery 5P",
            **_compliance(published),
        )
        for unit in system.battery_units(published.now)
        for serial in [encharge_serial(system, unit)]
    ]


def _enpowers(published: Published) -> list[Document]:
    if published.storage is None:
        return []
    serial = f"4822{published.system.system_id:08}"
    return [
        _device(
            published,
            4,
            f"IQ System Controller {serial}",
            serial,
            part_number="800-01135-r02",
            sku="EP200G101-M240US00",
            model="",
            product_name="IQ System Controller",
        )
    ]


def _ev_chargers(published: Published) -> list[Document]:
    return [
        _without_id(
            published,
            charger.name,
            charger.serial,
            last_report_at=_last_read_at(published, charger.part),
            sku="",
            model="Wall 22",
            firmware="1.4.2",
        )
        for charger in published.system.ev_chargers
    ] + [
        _without_id(
            published,
            charger.name,
            charger.serial,
            last_report_at=_last_read_at(published, charger.part),
            sku="IQ-EVSE-NA-1040-0110-0100",
            model="IQ-EVSE-40R",
            firmware="v0.04.22",
        )
        for charger in published.system.iq_chargers
    ]


def _heat_pumps(published: Published) -> list[Document]:
    pump = published.system.heat_pump
    if pump is None:
        return []
    return [
        _without_id(
            published,
            pump.name,
            pump.serial,
            last_report_at=_last_read_at(published, HEAT_PUMP),
            SKU="",
            model="Ground 9",
            firmware="",
            sg_ready_relay="Ground 9 relay",
            iq_er="Hub 2",
        )
    ]


def _iq_airs(published: Published) -> list[Document]:
    return [
        _without_id(
            published,
            f"IQ Air {serial}",
            serial,
            sku="",
            model="",
            product_name="",
        )
        | {"last_report_at": None, "status": "active"}
        for number in range(1, published.system.iq_airs + 1)
        for serial in [f"1224{published.system.system_id:07}{number:02}"]
    ]


def _without_id(
    published: Published, name: str, serial: str, **more: object
) -> Document:
    """Return a device without an id."""
    device = _device(published, 0, name, serial, part_number="", **more)
    return device | {"id": ""}


def _generators(published: Published) -> list[Document]:
    if not published.system.plant.generator_w:
        return []
    return [
        _device(
            published,
            8,
            "Generator",
            "",
            part_number="",
            sku="",
            model="HNG-01",
            product_name="",
        )
        | {"last_report_at": None, "status": "on"}
    ]
