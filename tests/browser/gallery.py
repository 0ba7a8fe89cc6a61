"""What the pictures show: a small site with everything that a page has to set well."""

from pathlib import Path

from storage import clock
from tests.support import SECRET, Server, Site, make_site
from web.site.queries import change_site

FLEET = """\
Every morning at *half past four* the harbour wakes before the town does. The boats are in a row, their names
on the bows, and nobody speaks much; there is coffee from a can, and a radio that says what the wind will do.

I went along with the **Seven Sisters**, the oldest of them, built in 1951 and painted six times since. [Her
skipper](https://example.org/skipper) has been on her for 31 years. “You do not choose a boat,” he said, “she chooses
you, and then she costs you money.”

## What we took along

- a can of coffee, and another one
- three nets, of which one was mended
- a list of everything that must not be forgotten:
    1. the list
    2. the *other* list

> The sea does not reward those who are too anxious, too greedy, or too impatient.
>
> Patience, patience, patience, is what the sea teaches.

### The numbers

| Boat          | Built | Crew | Catch, kg |
| ------------- | ----: | :--: | --------: |
| Seven Sisters |  1951 |  4   |     1,204 |
| Albatross     |  1987 |  3   |       980 |
| Good Intent   |  2003 |  2   |        77 |

The list was made with a program[^1] that anybody can read:

```python
def catch(boats: list[Boat]) -> int:
    \"\"\"How much they brought, in kg, and a line that is longer than the measure of the page allows it to be.\"\"\"
    return sum(boat.catch for boat in boats if boat.is_back)  # the others are out
```

Call `catch(boats)` in the evening, not before. ~~In the morning~~ they are all at sea.

---

That is all. The next letter comes when the wind has turned.

[^1]: Written in the evening, on a table that moved.
"""
ARABIC = "في الصباح الباكر يستيقظ الميناء قبل المدينة. القوارب في صف واحد، وأسماؤها على مقدماتها.\n\n- قهوة\n- شباك\n"
GERMAN = (
    "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz und Donaudampfschifffahrtselektrizitäten. " * 3
)
UNBROKEN = "https://example.org/" + "a-very-long-address-without-any-place-to-break" * 4


def build(folder: Path) -> Server:
    """The site, running; its people are the cast."""
    site = make_site(folder)
    with site.database.transaction() as db:
        change_site(
            db, name="Harbour Notes", tagline="Letters from a small port", language="en", time_zone="Europe/Berlin"
        )
    _write_posts(site)
    site.close()
    return Server(folder, processes=1, SECRET_KEY=SECRET).start()


def _write_posts(site: Site) -> None:
    now = clock.now()
    site.post("ada", title="銀河鉄道の夜", slug="ginga", body="カムパネルラが手をあげました。" * 12, tags=["日本語"])
    site.post("alan", title="رسالة من الميناء", slug="arabic", body=ARABIC)
    site.post("alan", title="Donaudampfschifffahrtsgesellschaftskapitän", slug="german", body=GERMAN + UNBROKEN)
    site.post("ada", title="For those who came aboard", slug="aboard", body="Welcome.", visibility="members",
              excerpt="What was said in the cabin stays in the cabin, and with those who have one.")  # fmt: skip
    site.post("ada", title="The fleet goes out at half past four", slug="fleet", body=FLEET, tags=["sea", "boats"])
    for slug in ("merging", "leaving"):
        site.post("ada", title="An unfinished letter", slug=slug, body="Dear reader,\n\nthe wind has", status="draft")
    site.post("ada", title="Ice on the rigging", slug="ice", body="It is cold.", publish_at=now + 30 * clock.DAY)
