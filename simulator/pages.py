"""HTML pages for home owners, without external resources."""

from collections.abc import Mapping, Sequence
from html import escape

from .world import AccessControl, Application

_STYLE = """
:root {
  --ink: #1f2933; --soft: #52606d; --line: #d9e2ec; --paper: #fff; --ground: #f0f4f8;
  --accent: #c2410c; --accent-ink: #fff; --danger: #b91c1c; --danger-ground: #fef2f2;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #f0f4f8; --soft: #bcccdc; --line: #486581; --paper: #1f2933;
    --ground: #101820; --accent: #fb923c; --accent-ink: #1f1206; --danger: #fecaca;
    --danger-ground: #450a0a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
main {
  width: min(26rem, 100%); overflow-x: auto; padding: 2rem; border-radius: 1rem;
  border: 1px solid var(--line); background: var(--paper);
}
.brand { margin: 0; color: var(--soft); font-size: .875rem; }
h1 { margin: .25rem 0 1rem; font-size: 1.375rem; line-height: 1.25; }
h2 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
ul { margin: 0; padding-left: 1.25rem; color: var(--soft); }
label { display: block; margin-top: 1rem; font-weight: 600; }
input {
  width: 100%; margin-top: .25rem; padding: .625rem .75rem; font: inherit;
  color: inherit; background: transparent; border: 1px solid var(--soft);
  border-radius: .5rem;
}
button {
  flex: 1; padding: .75rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  border-radius: .5rem; border: 1px solid var(--accent);
}
button:focus-visible, input:focus-visible {
  outline: 3px solid var(--accent); outline-offset: 2px;
}
.approve { background: var(--accent); color: var(--accent-ink); }
.deny { background: transparent; color: inherit; border-color: var(--soft); }
.actions { display: flex; gap: .75rem; margin-top: 1.5rem; }
.error {
  padding: .75rem; border-radius: .5rem; color: var(--danger);
  background: var(--danger-ground);
}
.hint { margin: 1.5rem 0 0; color: var(--soft); font-size: .875rem; }
main:has(table) { width: min(64rem, 100%); }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
th, td { padding: .375rem .75rem .375rem 0; text-align: left; }
td { border-top: 1px solid var(--line); white-space: nowrap; }
td:last-child, th:last-child { text-align: right; }
.no { color: var(--soft); }
.code { font-size: 1.75rem; letter-spacing: .15em; user-select: all; }
"""

_COLUMNS = ("Method", "Path", "Access control", "Plan", "Simulated", "Requests")

_ACCESS = {
    AccessControl.SYSTEM_DETAILS: "Your systems, their devices and their state",
    AccessControl.PRODUCTION: "Production of your systems",
    AccessControl.CONSUMPTION: "Consumption, battery, import and export",
    AccessControl.DEVICES: "Measurements of each device",
    AccessControl.CONFIGURATION: "Settings of your systems",
    AccessControl.STREAMING: "Live status",
    AccessControl.CHARGER_MONITORING: "Your EV chargers",
    AccessControl.CHARGER_CONTROL: "Starting and stopping your EV chargers",
}


def sign_in(
    application: Application,
    parameters: Mapping[str, str],
    *,
    email: str = "",
    error: str | None = None,
) -> str:
    """Return the sign-in page, with the access that the application requests."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in parameters.items()
    )
    access = "".join(
        f"<li>{escape(text)}</li>"
        for control, text in _ACCESS.items()
        if control in application.access
    )
    problem = f'<p class="error" role="alert">{escape(error)}</p>' if error else ""
    name = escape(application.name)
    return _page(
        "Sign in",
        f"""
<p class="brand">Simulated Enphase cloud</p>
<h1>Sign in to connect {name}</h1>
{problem}
<form method="post" action="/oauth/authorize">
  {hidden}
  <label for="email">Email</label>
  <input id="email" name="email" type="email" value="{escape(email)}"
    autocomplete="username" autofocus>
  <label for="password">Password</label>
  <input id="password" name="password" type="password"
    autocomplete="current-password">
  <h2>{name} will be able to see</h2>
  <ul>{access}</ul>
  <div class="actions">
    <button class="approve" name="decision" value="approve">Approve</button>
    <button class="deny" name="decision" value="deny" formnovalidate>Deny</button>
  </div>
</form>
<p class="hint">This is a simulation. It knows no real account and reaches no real
system.</p>""",
    )


def code(value: str | None, error: str | None) -> str:
    """Return the page that shows the authorization code to copy."""
    if value is None:
        text = escape(error or "There is no authorization code in this address.")
        return _page(
            "Not connected", f'<h1>Not connected</h1><p role="alert">{text}</p>'
        )
    return _page(
        "Authorization code",
        f"""
<h1>Your authorization code</h1>
<p><code class="code">{escape(value)}</code></p>
<p class="hint">Copy it into the application that requested it. It works once, for a
few minutes.</p>""",
    )


def operations(rows: Sequence[Sequence[str]]) -> str:
    """Return the page that lists the operations, each a row of texts for `_COLUMNS`."""
    simulated = sum("yes" in row for row in rows)
    headings = "".join(f'<th scope="col">{name}</th>' for name in _COLUMNS)
    return _page(
        "Operations",
        f"""
<p class="brand">Simulated Enphase cloud</p>
<h1>{len(rows)} operations, {simulated} of them simulated</h1>
<table>
  <thead><tr>{headings}</tr></thead>
  <tbody>{"".join(map(_row, rows))}</tbody>
</table>
<p class="hint">Paths are below <code>/api/v4/systems</code>. Orders for the simulation
itself are below <code>/_control</code>; the file <code>simulator/README.md</code> lists
them.</p>""",
    )


def _row(row: Sequence[str]) -> str:
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in row)
    return f"<tr{' class="no"' if 'no' in row else ''}>{cells}</tr>"


def _page(title: str, content: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Simulated Enphase cloud</title>
<style>{_STYLE}</style>
</head>
<body><main>{content}</main></body>
</html>
"""
