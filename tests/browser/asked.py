"""What there is to see of conversations: every kind of answer, and every way that one can end."""

from blog.conversations import asking
from blog.conversations.guiding import add_guide, retire_guide
from blog.conversations.owning import change, open_conversation
from blog.conversations.streaming import answer
from blog.library.holding import grant, save, withdraw
from storage.ids import new_id
from tests.support import Site


def converse(site: Site, text: str, long: str, unbroken: str) -> None:
    """Rita holds posts and has asked them, with every kind of answer; one was granted to her no longer."""
    rita, ada = site.principal("rita"), site.principal("ada")
    site.post("ada", title=long[:250], slug="few", body=text, visibility="granted")
    site.post("ada", title="The log of the Albatross", slug="albatross", body=text, visibility="granted")
    with site.database.transaction() as db:
        add_guide(
            db,
            name="Harbour master",
            system_prompt="Be brief.",
            greeting="Ahoy.",
            scope="blog",
            by=site.principal("olive"),
        )
        former = add_guide(
            db, name="Former master", system_prompt="Be long.", greeting="", scope="post", by=site.principal("olive")
        )
        retire_guide(db, former.id, by=site.principal("olive"))
        for slug in ("fleet", "german", "arabic", "harbour"):
            save(db, slug, by=rita)
        for slug in ("few", "albatross"):
            for name in ("rita", "alan"):
                grant(db, slug, name, by=ada)
    fleet = _converse(
        site, "fleet", "Who built the boats?", "What did you take along, and how many nets were there?", unbroken
    )
    _converse(site, "german", "Was ist ein Gesetz?")
    _converse(site, "few", "When does the harbour wake?")
    closed = _converse(site, "albatross", "How many of the crew are there?", "And what do they drink?")
    archived = _converse(site, "harbour", "What is the sea teaching?")
    with site.database.transaction() as db:
        withdraw(db, _post_of(site, closed), "rita", by=ada)
        change(db, archived, is_archived=True, by=rita)
        of_fleet = "WHERE conversation_id = ? AND number ="
        for statement in (
            f"UPDATE messages SET state = 'abandoned' {of_fleet} 2",
            f"UPDATE messages SET state = 'failed', html = '<p>The model gave no answer.</p>', passages = '[]' {of_fleet} 4",
            f"DELETE FROM messages {of_fleet} 6",
        ):
            db.exec_driver_sql(statement, (fleet,))
    assert site.client("ada").submit("/posts/fleet/edit", version="1", excerpt="Changed since.").status_code == 303


def _converse(site: Site, slug: str, *questions: str) -> str:
    """A conversation of rita's in which that was asked."""
    around, rita, name = site.app.extensions["conversations"], site.principal("rita"), new_id()
    with site.database.transaction() as db:
        open_conversation(db, name, post=slug, guide=None, title=None, by=rita)
    for question in questions:
        exchange = asking.begin(around, name, question, by=rita)
        said = answer(around, exchange, is_interrupted=lambda: False, is_still_allowed=lambda _db: True)
        assert list(said)[-1].event == "done"
    return name


def _post_of(site: Site, conversation_id: str) -> str:
    with site.database.reading() as db:
        return str(
            db.exec_driver_sql("SELECT post_id FROM conversations WHERE id = ?", (conversation_id,)).scalar_one()
        )
