"""The application with a check of the Host header, because clients can reach its port without the proxy."""

import os

from app.main import app as application
from starlette.middleware.trustedhost import TrustedHostMiddleware

app = TrustedHostMiddleware(application, allowed_hosts=os.environ["LOCAL_HOSTS"].split(","), www_redirect=False)
