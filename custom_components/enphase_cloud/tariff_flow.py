"""Subentry flow: prices of energy from and to the grid."""

from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import Any, Final

from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import get_metadata
from homeassistant.components.sensor import ATTR_STATE_CLASS, SensorStateClass
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntryState,
    ConfigSubentryFlow,
    SubentryFlowResult,
)
from homeassistant.const import CONF_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import DATA_INSTANCE, get_instance
from homeassistant.util import dt as dt_util
import voluptuous as vol

from .const import CONF_SYSTEM
from .data import EnphaseCloudConfigEntry
from .errors import escaped
from .flows.new_tariff import async_choice_names, async_title, unique_id_of
from .flows.tariff_forms import (
    BEGINNING,
    CONF_ADD,
    CONF_DIRECTION,
    CONF_KIND,
    CONF_NEXT,
    CONF_PERIODS,
    CONF_REMOVE,
    CONF_VALID_FROM,
    CONF_VERSION,
    CONF_VERSIONS,
    NEW_PRICES_FORM,
    SAVE,
    Stored,
    form_values,
    label_of,
    period_form,
    periods_form,
    prices_form,
    stored_day,
    stored_period,
    stored_prices,
    tariff_form,
    versions_form,
)
from .money.tariff import MOST_PERIODS, MOST_VERSIONS, PriceKind, Tariff

# Forms that lead to another form.
_LEADING: Final = frozenset({"user", "new_prices", "correct", "time_of_use", "periods"})

type Answer = dict[str, Any] | None


class TariffFlow(ConfigSubentryFlow):
    """Define or change the tariff of import or export."""

    _tariff: Stored
    # The input so far, and the indexes that it replaces; None for a new one.
    _version: Stored
    _place: int | None = None
    _period: int | None = None
    _has_reviewed = False

    async def async_step_user(self, user_input: Answer = None) -> SubentryFlowResult:
        """Choose system (if there are several), direction and kind of tariff."""
        entry: EnphaseCloudConfigEntry = self._get_entry()
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        if not (infos := [each.info for each in entry.runtime_data.systems]):
            held = ", ".join(map(escaped, entry.runtime_data.systems_elsewhere))
            return self.async_abort(
                reason="systems_elsewhere", description_placeholders={"held": held}
            )
        systems = {str(info.system_id): info.name for info in infos}
        show = partial(self._show, "user", tariff_form(systems))
        if user_input is None:
            return show()
        chosen = {CONF_SYSTEM: next(iter(systems)), **user_input}
        self._name = systems[chosen[CONF_SYSTEM]]
        wanted = {
            CONF_SYSTEM: int(chosen[CONF_SYSTEM]),
            CONF_DIRECTION: chosen[CONF_DIRECTION],
        }
        self._tariff = {**wanted, CONF_VERSIONS: []}
        for other in entry.subentries.values():
            if all(other.data.get(key) == wanted[key] for key in wanted):
                taken = {"tariff": other.title}
                return show(user_input, {CONF_DIRECTION: "tariff_exists"}, taken)
        return await self._async_begin(None, chosen[CONF_KIND])

    async def async_step_fixed(self, user_input: Answer = None) -> SubentryFlowResult:
        """Enter a fixed price."""
        return await self._async_prices(PriceKind.FIXED, user_input)

    async def async_step_entity(self, user_input: Answer = None) -> SubentryFlowResult:
        """Choose the entity with the price."""
        return await self._async_prices(PriceKind.ENTITY, user_input)

    async def async_step_time_of_use(
        self, user_input: Answer = None
    ) -> SubentryFlowResult:
        """Enter the price outside periods; the periods follow."""
        return await self._async_prices(PriceKind.TIME_OF_USE, user_input)

    async def async_step_periods(self, user_input: Answer = None) -> SubentryFlowResult:
        """Show a menu: change a period, add one, or save."""
        periods = self._version.setdefault(CONF_PERIODS, [])
        self._has_reviewed = self._has_reviewed or bool(periods)
        if periods and user_input is None:
            names = await async_choice_names(self.hass)
            form = periods_form(label_of(each, names) for each in periods)
            return self._show("periods", form)
        chosen = user_input[CONF_NEXT] if periods and user_input else CONF_ADD
        if chosen == SAVE:
            return await self._async_finish()
        self._period = None if chosen == CONF_ADD else int(chosen)
        return await self.async_step_period()

    async def async_step_period(self, user_input: Answer = None) -> SubentryFlowResult:
        """Enter a period: hours with their own price."""
        periods: list[Stored] = self._version[CONF_PERIODS]
        place = slice(len(periods), None)
        if self._period is not None:
            place = slice(self._period, self._period + 1)
        form = period_form(self._currency, is_new=self._period is None)
        if user_input is None:
            known = [form_values(each) for each in periods[place]]
            return self._show("period", form, *known)
        errors: dict[str, str] = {}
        if user_input.get(CONF_REMOVE):
            periods[place] = []
            return await self.async_step_periods()
        period = stored_period(user_input, errors)
        if errors:
            return self._show("period", form, user_input, errors)
        periods[place] = [period]
        if user_input.get(CONF_ADD) and len(periods) < MOST_PERIODS:
            return await self.async_step_period()
        if self._has_reviewed:
            return await self.async_step_periods()
        return await self._async_finish()

    async def async_step_reconfigure(
        self, user_input: Answer = None
    ) -> SubentryFlowResult:
        """Choose: correct prices, or enter new ones from a day on."""
        if self._get_entry().state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="entry_not_loaded")
        subentry = self._get_reconfigure_subentry()
        self._tariff = Tariff.from_dict(subentry.data).as_dict()
        options = ["correct"]
        if len(self._versions) < MOST_VERSIONS:
            options.append("new_prices")
        if len(self._versions) > 1:
            options.append("remove_prices")
        return self.async_show_menu(step_id="reconfigure", menu_options=options)

    async def async_step_correct(self, user_input: Answer = None) -> SubentryFlowResult:
        """Choose which prices to correct, if there are several."""
        days = self._days
        if len(days) > 1 and user_input is None:
            today = dt_util.now().date().isoformat()
            form = versions_form(days, days[self._place_on(today)])
            return self._show("correct", form)
        self._place = days.index(user_input[CONF_VERSION]) if user_input else 0
        before = self._versions[self._place]
        return await self._async_begin(before[CONF_VALID_FROM], before[CONF_KIND])

    async def async_step_new_prices(
        self, user_input: Answer = None
    ) -> SubentryFlowResult:
        """Enter the day from which new prices apply."""
        show = partial(self._show, "new_prices", NEW_PRICES_FORM)
        if user_input is None:
            return show({CONF_KIND: self._versions[-1][CONF_KIND]})
        day = stored_day(user_input[CONF_VALID_FROM])
        if day is None or day in self._days:
            error = "day_taken" if day else "invalid_day"
            return show(user_input, {CONF_VALID_FROM: error})
        return await self._async_begin(day, user_input[CONF_KIND])

    async def async_step_remove_prices(
        self, user_input: Answer = None
    ) -> SubentryFlowResult:
        """Choose a price change to remove; the prices before it then continue."""
        if user_input is None:
            later = self._days[1:]
            return self._show("remove_prices", versions_form(later, later[-1]))
        del self._versions[self._days.index(user_input[CONF_VERSION])]
        return await self._async_save()

    async def _async_begin(self, day: str | None, kind: str) -> SubentryFlowResult:
        """Begin entering prices from a day on; suggest those of that day."""
        known: Stored = {}
        if self._versions:
            known = deepcopy(self._versions[self._place_on(day)])
        if known.get(CONF_KIND) != kind:
            known = {CONF_KIND: kind}
        self._version = known | {CONF_VALID_FROM: day}
        return await self._async_prices(PriceKind(kind), None)

    async def _async_prices(
        self, kind: PriceKind, user_input: Answer
    ) -> SubentryFlowResult:
        form = prices_form(kind, self._tariff[CONF_DIRECTION], self._currency)
        if user_input is None:
            return self._show(kind, form, form_values(self._version))
        errors: dict[str, str] = {}
        prices = stored_prices(user_input, errors)
        if kind is PriceKind.ENTITY and not await _async_has_means(
            self.hass, prices[CONF_ENTITY_ID]
        ):
            errors[CONF_ENTITY_ID] = "no_price"
        if errors:
            return self._show(kind, form, user_input, errors)
        kept = {CONF_VALID_FROM, CONF_KIND, CONF_PERIODS} & self._version.keys()
        self._version = {key: self._version[key] for key in kept} | prices
        if kind is PriceKind.TIME_OF_USE:
            return await self.async_step_periods()
        return await self._async_finish()

    async def _async_finish(self) -> SubentryFlowResult:
        """Insert the input into the tariff, and save."""
        if self._place is not None:
            del self._versions[self._place]
        self._versions.append(self._version)
        return await self._async_save()

    async def _async_save(self) -> SubentryFlowResult:
        """Save the tariff; a change reloads the entry."""
        data = Tariff.from_dict(self._tariff).as_dict()
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_and_abort(
                self._get_entry(), self._get_reconfigure_subentry(), data=data
            )
        title = await async_title(self.hass, self._name, data[CONF_DIRECTION])
        return self.async_create_entry(
            title=title, data=data, unique_id=unique_id_of(data)
        )

    @property
    def _versions(self) -> list[Stored]:
        versions: list[Stored] = self._tariff[CONF_VERSIONS]
        return versions

    @property
    def _days(self) -> list[str]:
        """Return the first days of the versions, in order."""
        return [each[CONF_VALID_FROM] or BEGINNING for each in self._versions]

    def _place_on(self, day: str | None) -> int:
        """Return the index of the version of a day; the first covers earlier days."""
        earlier = [
            each
            for each in self._versions
            if (each[CONF_VALID_FROM] or "") <= (day or "")
        ]
        return max(len(earlier) - 1, 0)

    @property
    def _currency(self) -> str:
        return self.hass.config.currency

    def _show(
        self,
        step_id: str,
        form: vol.Schema,
        known: Mapping[str, Any] | None = None,
        errors: dict[str, str] | None = None,
        placeholders: dict[str, str] | None = None,
    ) -> SubentryFlowResult:
        shown = {"currency": self._currency, **(placeholders or {})}
        return self.async_show_form(
            step_id=step_id,
            data_schema=self.add_suggested_values_to_schema(form, known),
            errors=errors,
            description_placeholders=shown,
            last_step=step_id not in _LEADING,
        )


async def _async_has_means(hass: HomeAssistant, entity_id: str) -> bool:
    """Return whether an entity has, or will have, hourly mean statistics."""
    state = hass.states.get(entity_id)
    if state and state.attributes.get(ATTR_STATE_CLASS) == SensorStateClass.MEASUREMENT:
        return True
    if DATA_INSTANCE not in hass.data:
        return False
    found = await get_instance(hass).async_add_executor_job(
        partial(get_metadata, hass, statistic_ids={entity_id})
    )
    return any(
        known["mean_type"] is StatisticMeanType.ARITHMETIC
        for _, known in found.values()
    )
