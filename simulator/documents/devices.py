"""The devices of a system."""

from simulator.publication import Published
from simulator.world import System

from .windows import Document, Query


def encharge_serial(system: System, unit: int) -> str:
    """Return the serial number of a battery, counted from 1."""
    return f"4923{system.system_id:06}{unit:02}"


def device_id(system: System, number: int) -> int:
    """Return the id of a system's n-th device."""
    return system.system_id * 1_000 + number


def meter_number(system: System, name: str, *, generation: int | None = None) -> int:
    """Return the number of a meter: of the newest, or of one that was replaced."""
    if generation is None:
        generation = sum(each.meter == name for each in system.replaced)
    return 20 * generation + (1 if name == "production" else 2)


def devices(published: Published, query: Query) -> Document:
    """Return the active devices; only the kinds that are there."""
    del query
    kinds = {
        "micros": _micros(published),
        "meters": _meters(published),
        "gateways": [_gateway(published)],
        "encharges": _encharges(published),
        "enpowers": _enpowers(published),
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
        "status": "normal",
        "active": True,
        **more,
    }


def _compliance(published: Published) -> Document:
    """Return where the device was made; only shown in the United States."""
    if published.system.address.country != "US":
        return {}
    return {"feoc_compliant": True, "dom_compliant": False}


def _micros(published: Published) -> list[Document]:
    first = 482_000_000_000 + published.system.system_id * 100
    return [
        _device(
            published,
            100 + number,
            f"Microinverter {first + number}",
            str(first + number),
            part_number="800-01733-r02",
            sku="IQ8PLUS-72-2-US",
            model="IQ8+",
            product_name="IQ8+",
            **_compliance(published),
        )
        for number in range(1, published.system.modules + 1)
    ]


def _meters(published: Published) -> list[Document]:
    system = published.system
    configs = {"production": "Production", "consumption": system.consumption_config}
    return [
        _device(
            published,
            meter_number(system, name),
            name,
            f"{system.gateway_serial}EIM{meter_number(system, name)}",
            part_number="800-00655-r09",
            sku=None,
            model="IQ Gateway",
            state="enabled",
            config_type=config,
            config_phase="single" if system.phases == 1 else "three",
            product_name="IQ Gateway",
        )
        for name, config in configs.items()
        if name in system.meters
    ]


def _gateway(published: Published) -> Document:
    system = published.system
    modem: Document = {
        "imei": f"35200{system.system_id:010}",
        "part_num": "860-00157-r01",
        "sku": "CELLMODEM-M1",
        "plan_start_date": system.operational_at,
        "plan_end_date": system.operational_at + 5 * 365 * 86_400,
    }
    return _device(
        published,
        3,
        f"Gateway {system.gateway_serial}",
        system.gateway_serial,
        part_number="800-00655-r09",
        emu_sw_version=f"D{system.gateway_version}",
        sku="ENV-IQ-AM1-240",
        model="IQ Gateway",
        product_name="IQ Gateway",
        **({"cellular_modem": modem} if system.connection == "cellular" else {}),
    )


def _encharges(published: Published) -> list[Document]:
    storage = published.storage
    return [
        _device(
            published,
            10 + unit,
            f"IQ Battery {serial}",
            serial,
            part_number="830-01760-r37",
            sku="IQBATTERY-5P-1P-NA",
            model="",
            product_name="IQ Battery 5P",
            **_compliance(published),
        )
        for unit in range(1, (storage.units if storage else 0) + 1)
        for serial in [encharge_serial(published.system, unit)]
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
