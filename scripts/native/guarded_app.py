"""The application, without a proxy in front: it rejects the host names of websites, as the proxy does."""

import os

from app.main import app as application
from starlette.middleware.trustedhost import TrustedHostMiddleware

app = TrustedHostMiddleware(application, allowed_hosts=os.environ["LOCAL_HOSTS"].split(","), www_redirect=False)
