"""The web application: sign-in, API and control."""

from aiohttp import hdrs, web

from .cloud import Cloud
from .control import Control
from .gateway import Gateway
from .oauth import OAuth
from .overview import Overview

CLOUD = web.AppKey("cloud", Cloud)


def create_app(cloud: Cloud) -> web.Application:
    """Return an application that serves a cloud."""
    app = web.Application()
    app[CLOUD] = cloud
    oauth = OAuth(cloud)
    app.add_routes(
        [
            web.get("/", Overview(cloud).page),
            web.get("/oauth/authorize", oauth.sign_in_page),
            web.post("/oauth/authorize", oauth.sign_in),
            web.get("/oauth/redirect_uri", oauth.code_page),
            web.route(hdrs.METH_ANY, "/oauth/token", oauth.token),
            web.route(
                hdrs.METH_ANY, r"/api/v4/systems{path:(/.*)?}", Gateway(cloud).handle
            ),
            *Control(cloud).routes(),
        ]
    )
    app.on_shutdown.append(_drop_connections)
    return app


async def _drop_connections(app: web.Application) -> None:
    app[CLOUD].connections.drop()
