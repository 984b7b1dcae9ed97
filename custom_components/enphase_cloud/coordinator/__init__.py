"""Home Assistant requests documents, energy data and live data of the cloud."""
