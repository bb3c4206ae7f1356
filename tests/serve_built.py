"""Serve a page that is built already, on the port that REFLEX_BACKEND_PORT names.

It is what `reflex run --env prod` does after building.
"""

from reflex.utils.exec import run_backend_prod
from reflex_base.config import get_config
from reflex_base.constants import Env
from reflex_base.environment import environment

if __name__ == "__main__":
    environment.REFLEX_ENV_MODE.set(Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    config = get_config()
    run_backend_prod(
        config.backend_host,
        int(config.backend_port or 0),
        config.loglevel.subprocess_level(),
        mount_frontend_compiled_app=True,
    )
