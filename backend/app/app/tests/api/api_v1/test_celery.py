from fastapi.testclient import TestClient

from app import worker as tasks
from app.core.celery_app import celery_app
from app.core.config import settings

TEST_CELERY = f"{settings.API_V1_STR}/utils/test-celery/"


def test_celery_endpoint_enqueues_a_task(superuser_client: TestClient) -> None:
    response = superuser_client.post(TEST_CELERY, json={"msg": "test"})
    assert response.status_code == 201
    assert response.json() == {"msg": "Word received"}


def test_tasks_are_routed_to_main_queue() -> None:
    names = [name for name in celery_app.tasks if name.startswith("app.worker.")]
    assert tasks.test_celery.name in names
    for name in names:
        assert celery_app.amqp.router.route({}, name)["queue"].name == "main-queue"
