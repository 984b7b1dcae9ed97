// The dashboard strategy "custom:enphase-cloud"; overview.py makes the views.
class EnphaseCloudStrategy extends HTMLElement {
  static generate(_config, hass) {
    return hass.callWS({ type: "enphase_cloud/dashboard", language: hass.language });
  }

  static getCreateSuggestions() {
    return { title: "Enphase", icon: "mdi:solar-power" };
  }
}

const TAG = "ll-strategy-dashboard-enphase-cloud";
// A page that stays open while the integration is updated has one already.
if (!customElements.get(TAG)) {
  customElements.define(TAG, EnphaseCloudStrategy);
  window.customStrategies ??= [];
  window.customStrategies.push({
    type: "enphase-cloud",
    strategyType: "dashboard",
    name: "Enphase Cloud",
    documentationURL: "https://github.com/enphase-cloud/enphase-cloud",
  });
}
