"""What the conversations of one site are done with, by its settings."""

from blog.conversations.answering import Answerer, Quoting
from blog.conversations.asking_models import Model
from blog.conversations.exchanging import Surroundings
from storage.engine import Database
from storage.locks.table import TableLocks
from web.settings import Settings


def answerer_for(settings: Settings) -> Answerer:
    """The model that the settings name; without one, passages are quoted."""
    if settings.byline_llm_url is None or settings.byline_llm_model is None:
        return Quoting()
    key = settings.byline_llm_api_key
    return Model(settings.byline_llm_url, settings.byline_llm_model, key.get_secret_value() if key else None)


def surroundings_for(settings: Settings, database: Database, *, own_host: str | None) -> Surroundings:
    """For one process; to be called after the fork."""
    answerer = answerer_for(settings)
    if settings.redis_url is None:
        return Surroundings(database, TableLocks(database), answerer, own_host, settings.base_url)
    # It takes a moment to load, and most sites have none.
    from storage.cache.redis import RedisCache
    from storage.locks.redis import RedisLocks
    from storage.redis import connect

    client = connect(settings.redis_url.get_secret_value())
    return Surroundings(database, RedisLocks(client), answerer, own_host, settings.base_url, cache=RedisCache(client))
